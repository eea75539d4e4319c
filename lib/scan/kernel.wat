;; Finds a byte in memory, 64 bytes a step, and writes where each one ends: the address behind it.
;; kernel.ts has this module assembled; `npm run build:kernel` renews it. fallback.ts does the same in JavaScript.
;; The second function finds records and fields with quotes.
(module
  (memory (import "scan" "memory") 1 65536 shared)

  ;; Which of the 64 bytes from $at on are equal to those of $wanted: a bit for each, the first one lowest.
  (func $find (param $at i32) (param $wanted v128) (result i64)
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load (local.get $at)) (local.get $wanted))))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $wanted))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $wanted))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $wanted))))
          (i64.const 48)))))

  ;; Writes the ends from $out on, as u32, until the bytes or the room for ends is used up. Before a step there must be room for
  ;; all that it may find. Returns the number of bytes that were scanned, and behind them in $result (8 bytes, two u32): the number
  ;; of ends; and flags: 1 if a byte is 128 or more, 2 if a byte is the carriage return.
  (func (export "scan")
    (param $from i32) (param $to i32) (param $byte i32) (param $out i32) (param $outEnd i32) (param $result i32)
    (result i32)
    (local $at i32)
    (local $first i32)
    (local $found i64)
    (local $wanted v128)
    (local $returns v128)
    (local $isReturn v128)
    (local $high v128)
    (local $b i32)
    (local $flags i32)
    (local.set $at (local.get $from))
    (local.set $first (local.get $out))
    (local.set $wanted (i8x16.splat (local.get $byte)))
    (local.set $returns (i8x16.splat (i32.const 13)))
    (block $done
      (loop $step
        (br_if $done (i32.gt_u (i32.add (local.get $at) (i32.const 64)) (local.get $to)))
        (br_if $done (i32.lt_u (i32.sub (local.get $outEnd) (local.get $out)) (i32.const 256)))
        (local.set $high
          (v128.or (local.get $high)
            (v128.or
              (v128.or (v128.load (local.get $at)) (v128.load offset=16 (local.get $at)))
              (v128.or (v128.load offset=32 (local.get $at)) (v128.load offset=48 (local.get $at))))))
        (local.set $isReturn
          (v128.or (local.get $isReturn)
            (v128.or
              (v128.or
                (i8x16.eq (v128.load (local.get $at)) (local.get $returns))
                (i8x16.eq (v128.load offset=16 (local.get $at)) (local.get $returns)))
              (v128.or
                (i8x16.eq (v128.load offset=32 (local.get $at)) (local.get $returns))
                (i8x16.eq (v128.load offset=48 (local.get $at)) (local.get $returns))))))
        (local.set $found (call $find (local.get $at) (local.get $wanted)))
        (block $none
          (loop $next
            (br_if $none (i64.eqz (local.get $found)))
            (i32.store (local.get $out)
              (i32.add
                (i32.add (local.get $at) (i32.const 1))
                (i32.wrap_i64 (i64.ctz (local.get $found)))))
            (local.set $out (i32.add (local.get $out) (i32.const 4)))
            ;; Clears the lowest bit.
            (local.set $found (i64.and (local.get $found) (i64.sub (local.get $found) (i64.const 1))))
            (br $next)))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $step)))
    (local.set $flags
      (i32.or
        (i32.ne (i8x16.bitmask (local.get $high)) (i32.const 0))
        (i32.shl (v128.any_true (local.get $isReturn)) (i32.const 1))))
    ;; The last bytes one by one, if it is not for lack of room that it has ended.
    (block $end
      (loop $byteStep
        (br_if $end (i32.ge_u (local.get $at) (local.get $to)))
        (br_if $end (i32.ge_u (i32.sub (local.get $to) (local.get $at)) (i32.const 64)))
        (br_if $end (i32.ge_u (local.get $out) (local.get $outEnd)))
        (local.set $b (i32.load8_u (local.get $at)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $flags
          (i32.or (local.get $flags)
            (i32.or
              (i32.ge_u (local.get $b) (i32.const 128))
              (i32.shl (i32.eq (local.get $b) (i32.const 13)) (i32.const 1)))))
        (if (i32.eq (local.get $b) (local.get $byte))
          (then
            (i32.store (local.get $out) (local.get $at))
            (local.set $out (i32.add (local.get $out) (i32.const 4)))))
        (br $byteStep)))
    (i32.store (local.get $result) (i32.shr_u (i32.sub (local.get $out) (local.get $first)) (i32.const 2)))
    (i32.store offset=4 (local.get $result) (local.get $flags))
    (i32.sub (local.get $at) (local.get $from)))

  ;; Finds where records end, or fields, with quotes as in RFC 4180. It takes every second quote as a closing one, and checks that:
  ;; an opening quote must begin a field, or follow a closing one; behind a closing one the field must end. csv-automaton.ts has the
  ;; definition. Where the check fails, the flag 4 is set and nothing else that is returned counts.
  ;;
  ;; $mode 0: writes the addresses behind the ends of records, without empty lines. $mode 2: with empty lines. $mode 1: writes, relative
  ;; to $from, where fields end; the highest bit is set if the field has a quote that is written as two.
  ;;
  ;; $quote and $delimiter are bytes, or -1. $state is the state of the automaton before the first byte:
  ;; 0 a record begins, 1 a field begins, 2 in a field, 3 in quotes, 4 behind a quote that may have closed the field,
  ;; 5 behind a carriage return that began a record.
  ;;
  ;; Returns the number of bytes that were scanned, and in $result (16 bytes, four u32): the number of ends; flags as above, and 4 for a
  ;; failed check and 8 for a quote; the number of newlines; the state.
  (func (export "quoted")
    (param $from i32) (param $to i32) (param $quote i32) (param $delimiter i32) (param $mode i32) (param $state i32)
    (param $out i32) (param $outEnd i32) (param $result i32)
    (result i32)
    (local $at i32)
    (local $source i32)
    (local $last i64)
    (local $first i32)
    (local $newlines i32)
    (local $flags i32)
    (local $isEscaped i32)
    (local $position i32)
    (local $quotes v128)
    (local $delimiters v128)
    (local $lines v128)
    (local $returns v128)
    (local $high v128)
    (local $valid i64)
    (local $quoteBytes i64)
    (local $delimiterBytes i64)
    (local $q i64)
    (local $d i64)
    (local $n i64)
    (local $c i64)
    (local $inside i64)
    (local $wasInside i64)
    (local $opening i64)
    (local $closing i64)
    (local $recordStart i64)
    (local $fieldStart i64)
    (local $afterClosing i64)
    (local $returnAfter i64)
    (local $returnAtStart i64)
    (local $escaped i64)
    (local $ends i64)
    (local $lowest i64)
    (local $prevRecord i64)
    (local $prevField i64)
    (local $prevClosing i64)
    (local $prevReturnAfter i64)
    (local $prevReturnAtStart i64)
    (local.set $at (local.get $from))
    (local.set $first (local.get $out))
    (local.set $quotes (i8x16.splat (local.get $quote)))
    (local.set $delimiters (i8x16.splat (local.get $delimiter)))
    (local.set $lines (i8x16.splat (i32.const 10)))
    (local.set $returns (i8x16.splat (i32.const 13)))
    (local.set $quoteBytes (select (i64.const -1) (i64.const 0) (i32.ge_s (local.get $quote) (i32.const 0))))
    (local.set $delimiterBytes (select (i64.const -1) (i64.const 0) (i32.ge_s (local.get $delimiter) (i32.const 0))))
    (local.set $wasInside (select (i64.const -1) (i64.const 0) (i32.eq (local.get $state) (i32.const 3))))
    (local.set $prevClosing (i64.extend_i32_u (i32.eq (local.get $state) (i32.const 4))))
    (local.set $prevRecord (i64.extend_i32_u (i32.eqz (local.get $state))))
    (local.set $prevField (i64.extend_i32_u (i32.le_u (local.get $state) (i32.const 1))))
    (local.set $prevReturnAtStart (i64.extend_i32_u (i32.eq (local.get $state) (i32.const 5))))
    (block $done
      (loop $step
        (br_if $done (i32.ge_u (local.get $at) (local.get $to)))
        (br_if $done (i32.lt_u (i32.sub (local.get $outEnd) (local.get $out)) (i32.const 256)))
        (local.set $source (local.get $at))
        (local.set $valid (i64.const -1))
        (local.set $last (i64.const 63))
        ;; The last bytes are copied to where zeros stand behind them.
        (if (i32.gt_u (i32.add (local.get $at) (i32.const 64)) (local.get $to))
          (then
            (local.set $source (i32.add (local.get $result) (i32.const 64)))
            (local.set $last (i64.extend_i32_u (i32.sub (i32.sub (local.get $to) (local.get $at)) (i32.const 1))))
            (local.set $valid (i64.shr_u (i64.const -1) (i64.sub (i64.const 63) (local.get $last))))
            (memory.fill (local.get $source) (i32.const 0) (i32.const 64))
            (memory.copy (local.get $source) (local.get $at) (i32.sub (local.get $to) (local.get $at)))))
        (local.set $high
          (v128.or (local.get $high)
            (v128.or
              (v128.or (v128.load (local.get $source)) (v128.load offset=16 (local.get $source)))
              (v128.or (v128.load offset=32 (local.get $source)) (v128.load offset=48 (local.get $source))))))
        (local.set $q
          (i64.and
            (i64.and (call $find (local.get $source) (local.get $quotes)) (local.get $quoteBytes))
            (local.get $valid)))
        (local.set $d
          (i64.and
            (i64.and (call $find (local.get $source) (local.get $delimiters)) (local.get $delimiterBytes))
            (local.get $valid)))
        (local.set $n (i64.and (call $find (local.get $source) (local.get $lines)) (local.get $valid)))
        (local.set $c (i64.and (call $find (local.get $source) (local.get $returns)) (local.get $valid)))
        (local.set $newlines
          (i32.add (local.get $newlines) (i32.wrap_i64 (i64.popcnt (local.get $n)))))
        (if (i64.ne (local.get $c) (i64.const 0))
          (then (local.set $flags (i32.or (local.get $flags) (i32.const 2)))))
        (local.set $opening (i64.const 0))
        (local.set $escaped (i64.const 0))
        (if (i64.ne (i64.or (i64.or (local.get $q) (local.get $wasInside)) (local.get $prevClosing)) (i64.const 0))
          (then
            (local.set $flags (i32.or (local.get $flags) (i32.const 8)))
            ;; A bit is set if its byte is in quotes, the opening quote included: the parity of the quotes up to it.
            (local.set $inside (local.get $q))
            (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 1))))
            (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 2))))
            (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 4))))
            (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 8))))
            (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 16))))
            (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 32))))
            (local.set $inside (i64.xor (local.get $inside) (local.get $wasInside)))
            (local.set $wasInside (i64.shr_s (local.get $inside) (i64.const 63)))
            (local.set $opening (i64.and (local.get $q) (local.get $inside)))
            (local.set $closing (i64.and (local.get $q) (i64.xor (local.get $inside) (i64.const -1))))
            (local.set $inside (i64.xor (local.get $inside) (i64.const -1)))
            (local.set $d (i64.and (local.get $d) (local.get $inside)))
            (local.set $n (i64.and (local.get $n) (local.get $inside)))
            (local.set $c (i64.and (local.get $c) (local.get $inside)))
            (local.set $fieldStart
              (i64.or
                (i64.shl (i64.or (local.get $n) (local.get $d)) (i64.const 1))
                (local.get $prevField)))
            (local.set $afterClosing (i64.or (i64.shl (local.get $closing) (i64.const 1)) (local.get $prevClosing)))
            (local.set $prevClosing (i64.and (i64.shr_u (local.get $closing) (local.get $last)) (i64.const 1)))
            (local.set $escaped (i64.and (local.get $opening) (local.get $afterClosing)))
            (local.set $returnAfter (i64.and (local.get $c) (local.get $afterClosing)))
            (if
              (i64.ne
                (i64.and
                  (local.get $valid)
                  (i64.or
                    (i64.or
                      ;; An opening quote that begins no field.
                      (i64.and
                        (local.get $opening)
                        (i64.xor (i64.or (local.get $fieldStart) (local.get $afterClosing)) (i64.const -1)))
                      ;; A closing quote that ends none.
                      (i64.and
                        (local.get $afterClosing)
                        (i64.xor
                          (i64.or
                            (i64.or (local.get $n) (local.get $d))
                            (i64.or (local.get $c) (local.get $opening)))
                          (i64.const -1))))
                    ;; A carriage return behind it, and then no newline.
                    (i64.and
                      (i64.or (i64.shl (local.get $returnAfter) (i64.const 1)) (local.get $prevReturnAfter))
                      (i64.xor (local.get $n) (i64.const -1)))))
                (i64.const 0))
              (then
                (local.set $flags (i32.or (local.get $flags) (i32.const 4)))
                (br $done)))
            (local.set $prevReturnAfter
              (i64.and (i64.shr_u (local.get $returnAfter) (local.get $last)) (i64.const 1))))
          (else
            (if (i64.ne (i64.and (local.get $prevReturnAfter) (i64.xor (local.get $n) (i64.const -1))) (i64.const 0))
              (then
                (local.set $flags (i32.or (local.get $flags) (i32.const 4)))
                (br $done)))
            (local.set $prevReturnAfter (i64.const 0))))
        (if (i32.eq (local.get $mode) (i32.const 1))
          (then
            (local.set $ends (i64.or (local.get $n) (local.get $d)))
            (block $none
              (loop $next
                (br_if $none (i64.eqz (local.get $ends)))
                (local.set $position
                  (i32.sub
                    (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $ends))))
                    (local.get $from)))
                (if (i64.ne (i64.or (local.get $escaped) (i64.extend_i32_u (local.get $isEscaped))) (i64.const 0))
                  (then
                    ;; The bits below this end.
                    (local.set $lowest
                      (i64.sub
                        (i64.and (local.get $ends) (i64.sub (i64.const 0) (local.get $ends)))
                        (i64.const 1)))
                    (if
                      (i32.or
                        (local.get $isEscaped)
                        (i64.ne (i64.and (local.get $escaped) (local.get $lowest)) (i64.const 0)))
                      (then (local.set $position (i32.or (local.get $position) (i32.const 0x80000000)))))
                    (local.set $isEscaped (i32.const 0))
                    (local.set $escaped
                      (i64.and (local.get $escaped) (i64.xor (local.get $lowest) (i64.const -1))))))
                (i32.store (local.get $out) (local.get $position))
                (local.set $out (i32.add (local.get $out) (i32.const 4)))
                (local.set $ends (i64.and (local.get $ends) (i64.sub (local.get $ends) (i64.const 1))))
                (br $next)))
            (local.set $isEscaped
              (i32.or (local.get $isEscaped) (i64.ne (local.get $escaped) (i64.const 0)))))
          (else
            (local.set $ends (local.get $n))
            (if (i32.eqz (local.get $mode))
              (then
                (local.set $recordStart
                  (i64.or (i64.shl (local.get $n) (i64.const 1)) (local.get $prevRecord)))
                (local.set $returnAtStart (i64.and (local.get $c) (local.get $recordStart)))
                (local.set $ends
                  (i64.and
                    (local.get $n)
                    (i64.xor
                      (i64.or
                        (local.get $recordStart)
                        (i64.or
                          (i64.shl (local.get $returnAtStart) (i64.const 1))
                          (local.get $prevReturnAtStart)))
                      (i64.const -1))))
                (local.set $prevReturnAtStart
                  (i64.and (i64.shr_u (local.get $returnAtStart) (local.get $last)) (i64.const 1)))))
            (block $none
              (loop $next
                (br_if $none (i64.eqz (local.get $ends)))
                (i32.store (local.get $out)
                  (i32.add
                    (i32.add (local.get $at) (i32.const 1))
                    (i32.wrap_i64 (i64.ctz (local.get $ends)))))
                (local.set $out (i32.add (local.get $out) (i32.const 4)))
                (local.set $ends (i64.and (local.get $ends) (i64.sub (local.get $ends) (i64.const 1))))
                (br $next)))))
        (local.set $prevRecord (i64.and (i64.shr_u (local.get $n) (local.get $last)) (i64.const 1)))
        (local.set $prevField
          (i64.and
            (i64.shr_u (i64.or (local.get $n) (local.get $d)) (local.get $last))
            (i64.const 1)))
        (local.set $at (i32.add (local.get $at) (i32.wrap_i64 (i64.add (local.get $last) (i64.const 1)))))
        (br $step)))
    (i32.store (local.get $result) (i32.shr_u (i32.sub (local.get $out) (local.get $first)) (i32.const 2)))
    (i32.store offset=4 (local.get $result)
      (i32.or (local.get $flags) (i32.ne (i8x16.bitmask (local.get $high)) (i32.const 0))))
    (i32.store offset=8 (local.get $result) (local.get $newlines))
    (local.set $state (i32.const 2))
    (if (i64.ne (local.get $prevReturnAtStart) (i64.const 0)) (then (local.set $state (i32.const 5))))
    (if (i64.ne (local.get $prevField) (i64.const 0)) (then (local.set $state (i32.const 1))))
    (if (i64.ne (local.get $prevRecord) (i64.const 0)) (then (local.set $state (i32.const 0))))
    (if (i64.ne (local.get $prevClosing) (i64.const 0)) (then (local.set $state (i32.const 4))))
    (if (i64.ne (local.get $wasInside) (i64.const 0)) (then (local.set $state (i32.const 3))))
    (i32.store offset=12 (local.get $result) (local.get $state))
    (i32.sub (local.get $at) (local.get $from)))

  ;; Which of the 64 bytes from $at on continue a character of UTF-8: those from 0x80 to 0xbf.
  (func $continuing (param $at i32) (result i64)
    (local $limit v128)
    (local.set $limit (i8x16.splat (i32.const -64)))
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (v128.load (local.get $at)) (local.get $limit))))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (v128.load offset=16 (local.get $at)) (local.get $limit))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (v128.load offset=32 (local.get $at)) (local.get $limit))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.lt_s (v128.load offset=48 (local.get $at)) (local.get $limit))))
          (i64.const 48)))))

  ;; Which of them begin a character of four bytes, which has two units in UTF-16.
  (func $double (param $at i32) (result i64)
    (local $limit v128)
    (local.set $limit (i8x16.splat (i32.const 0xf0)))
    (i64.or
      (i64.or
        (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (v128.load (local.get $at)) (local.get $limit))))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (v128.load offset=16 (local.get $at)) (local.get $limit))))
          (i64.const 16)))
      (i64.or
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (v128.load offset=32 (local.get $at)) (local.get $limit))))
          (i64.const 32))
        (i64.shl
          (i64.extend_i32_u (i8x16.bitmask (i8x16.ge_u (v128.load offset=48 (local.get $at)) (local.get $limit))))
          (i64.const 48)))))

  ;; Turns positions in valid UTF-8 into positions in the same text as UTF-16. They are relative to $from, in order, and $count u32
  ;; from $positions on; the highest bit of each is kept. Up to 63 bytes behind the last position are read, and not used.
  (func (export "units") (param $from i32) (param $positions i32) (param $count i32) (param $out i32)
    (local $at i32)
    (local $units i32)
    (local $position i32)
    (local $continuing i64)
    (local $double i64)
    (local $below i64)
    ;; How many units there are before the step, and the step: its bytes begin at $at, relative to $from.
    (local.set $at (i32.const -64))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $count)))
        (local.set $position (i32.and (i32.load (local.get $positions)) (i32.const 0x7fffffff)))
        (block $found
          (loop $step
            (br_if $found (i32.lt_s (local.get $position) (i32.add (local.get $at) (i32.const 64))))
            (if (i32.ge_s (local.get $at) (i32.const 0))
              (then
                (local.set $units
                  (i32.add
                    (i32.add (local.get $units) (i32.const 64))
                    (i32.wrap_i64
                      (i64.sub
                        (i64.popcnt (local.get $double))
                        (i64.popcnt (local.get $continuing))))))))
            (local.set $at (i32.add (local.get $at) (i32.const 64)))
            (local.set $continuing (call $continuing (i32.add (local.get $from) (local.get $at))))
            (local.set $double (call $double (i32.add (local.get $from) (local.get $at))))
            (br $step)))
        (local.set $below
          (i64.sub
            (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (local.get $position) (local.get $at))))
            (i64.const 1)))
        (i32.store
          (local.get $out)
          (i32.or
            (i32.and (i32.load (local.get $positions)) (i32.const 0x80000000))
            (i32.add
              (i32.add (local.get $units) (i32.sub (local.get $position) (local.get $at)))
              (i32.wrap_i64
                (i64.sub
                  (i64.popcnt (i64.and (local.get $double) (local.get $below)))
                  (i64.popcnt (i64.and (local.get $continuing) (local.get $below))))))))
        (local.set $positions (i32.add (local.get $positions) (i32.const 4)))
        (local.set $out (i32.add (local.get $out) (i32.const 4)))
        (local.set $count (i32.sub (local.get $count) (i32.const 1)))
        (br $next))))
)
