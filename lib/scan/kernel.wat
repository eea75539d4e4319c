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
  ;; an opening quote must begin a field, or follow a closing one; behind a closing one the field must end. quoted.ts has the
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
    (local $touchesQuotes i32)
    (local $position i32)
    (local $quotes v128)
    (local $delimiters v128)
    (local $lines v128)
    (local $returns v128)
    (local $high v128)
    (local $v0 v128)
    (local $v1 v128)
    (local $v2 v128)
    (local $v3 v128)
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
        (local.set $v0 (v128.load (local.get $source)))
        (local.set $v1 (v128.load offset=16 (local.get $source)))
        (local.set $v2 (v128.load offset=32 (local.get $source)))
        (local.set $v3 (v128.load offset=48 (local.get $source)))
        (local.set $high
          (v128.or (local.get $high)
            (v128.or (v128.or (local.get $v0) (local.get $v1)) (v128.or (local.get $v2) (local.get $v3)))))
        ;; As $find, which would be four calls. Most blocks have no quotes and no returns: that is seen with less work.
        (local.set $q (i64.const 0))
        (if
          (v128.any_true
            (v128.or
              (v128.or (i8x16.eq (local.get $v0) (local.get $quotes)) (i8x16.eq (local.get $v1) (local.get $quotes)))
              (v128.or (i8x16.eq (local.get $v2) (local.get $quotes)) (i8x16.eq (local.get $v3) (local.get $quotes)))))
          (then
            (local.set $q
              (i64.and (i64.and (local.get $quoteBytes) (local.get $valid))
                (i64.or
                  (i64.or
                    (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v0) (local.get $quotes))))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v1) (local.get $quotes)))) (i64.const 16)))
                  (i64.or
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v2) (local.get $quotes)))) (i64.const 32))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v3) (local.get $quotes)))) (i64.const 48))))))))
        (local.set $n
          (i64.and (local.get $valid)
            (i64.or
              (i64.or
                (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v0) (local.get $lines))))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v1) (local.get $lines)))) (i64.const 16)))
              (i64.or
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v2) (local.get $lines)))) (i64.const 32))
                (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v3) (local.get $lines)))) (i64.const 48))))))
        (local.set $c (i64.const 0))
        (if
          (v128.any_true
            (v128.or
              (v128.or (i8x16.eq (local.get $v0) (local.get $returns)) (i8x16.eq (local.get $v1) (local.get $returns)))
              (v128.or (i8x16.eq (local.get $v2) (local.get $returns)) (i8x16.eq (local.get $v3) (local.get $returns)))))
          (then
            (local.set $c
              (i64.and (local.get $valid)
                (i64.or
                  (i64.or
                    (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v0) (local.get $returns))))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v1) (local.get $returns)))) (i64.const 16)))
                  (i64.or
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v2) (local.get $returns)))) (i64.const 32))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v3) (local.get $returns)))) (i64.const 48))))))))
        ;; Without quotes, the end of a field matters only where fields are wanted, and at the end of the block.
        (local.set $touchesQuotes
          (i64.ne (i64.or (i64.or (local.get $q) (local.get $wasInside)) (local.get $prevClosing)) (i64.const 0)))
        (if (i32.or (local.get $touchesQuotes) (i32.eq (local.get $mode) (i32.const 1)))
          (then
            (local.set $d
              (i64.and (i64.and (local.get $delimiterBytes) (local.get $valid))
                (i64.or
                  (i64.or
                    (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v0) (local.get $delimiters))))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v1) (local.get $delimiters)))) (i64.const 16)))
                  (i64.or
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v2) (local.get $delimiters)))) (i64.const 32))
                    (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $v3) (local.get $delimiters)))) (i64.const 48)))))))
          (else
            (local.set $d
              (i64.shl
                (i64.extend_i32_u
                  (i32.eq
                    (i32.load8_u (i32.add (local.get $source) (i32.wrap_i64 (local.get $last))))
                    (local.get $delimiter)))
                (local.get $last)))))
        (local.set $newlines
          (i32.add (local.get $newlines) (i32.wrap_i64 (i64.popcnt (local.get $n)))))
        (if (i64.ne (local.get $c) (i64.const 0))
          (then (local.set $flags (i32.or (local.get $flags) (i32.const 2)))))
        (local.set $opening (i64.const 0))
        (local.set $escaped (i64.const 0))
        (if (local.get $touchesQuotes)
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

  ;; Finds the commas and the closing bracket that end the elements of an array of JSON, 64 bytes a step, and writes the address behind
  ;; each one. $depth is how many brackets are open in the element at hand. $state: 1 if the first byte is in a string, 2 if it is
  ;; escaped. Stops behind the bracket that closes the array, before a brace that cannot be there, or as `scan` does. Returns the number
  ;; of bytes that were scanned, and in $result (four u32): the number of ends; flags: 1 if a byte is 128 or more, 4 if the array is
  ;; closed, 8 at such a brace, 16 if the next byte is in a string, 32 if it is escaped; the number of newlines; the depth.
  (func (export "elements")
    (param $from i32) (param $to i32) (param $depth i32) (param $state i32) (param $out i32) (param $outEnd i32) (param $result i32)
    (result i32)
    (local $at i32)
    (local $source i32)
    (local $length i32)
    (local $position i32)
    (local $first i32)
    (local $flags i32)
    (local $newlines i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $a2 v128) (local $b2 v128) (local $c2 v128) (local $d2 v128)
    (local $quotes v128) (local $backslashes v128) (local $commas v128) (local $lines v128)
    (local $opens v128) (local $closes v128) (local $lowerCase v128)
    (local $comma i64) (local $open i64) (local $close i64) (local $line i64) (local $high i64)
    (local $escape i64) (local $escaped i64) (local $inside i64) (local $wasInside i64) (local $carry i64)
    (local $bracket i64) (local $wanted i64) (local $bit i64) (local $seen i64)
    (local.set $at (local.get $from))
    (local.set $first (local.get $out))
    (local.set $quotes (i8x16.splat (i32.const 34)))
    (local.set $backslashes (i8x16.splat (i32.const 92)))
    (local.set $commas (i8x16.splat (i32.const 44)))
    (local.set $lines (i8x16.splat (i32.const 10)))
    ;; With this bit set, brackets are braces, and no other byte is one.
    (local.set $lowerCase (i8x16.splat (i32.const 32)))
    (local.set $opens (i8x16.splat (i32.const 123)))
    (local.set $closes (i8x16.splat (i32.const 125)))
    (local.set $wasInside (i64.sub (i64.const 0) (i64.extend_i32_u (i32.and (local.get $state) (i32.const 1)))))
    (local.set $carry (i64.extend_i32_u (i32.shr_u (local.get $state) (i32.const 1))))
    (block $done
      (loop $step
        (br_if $done (i32.ge_u (local.get $at) (local.get $to)))
        (br_if $done (i32.lt_u (i32.sub (local.get $outEnd) (local.get $out)) (i32.const 256)))
        (local.set $source (local.get $at))
        (local.set $length (i32.const 64))
        ;; The last bytes are copied to where zeros stand behind them.
        (if (i32.gt_u (i32.add (local.get $at) (i32.const 64)) (local.get $to))
          (then
            (local.set $source (i32.add (local.get $result) (i32.const 64)))
            (local.set $length (i32.sub (local.get $to) (local.get $at)))
            (memory.fill (local.get $source) (i32.const 0) (i32.const 64))
            (memory.copy (local.get $source) (local.get $at) (local.get $length))))
        (local.set $a (v128.load (local.get $source)))
        (local.set $b (v128.load offset=16 (local.get $source)))
        (local.set $c (v128.load offset=32 (local.get $source)))
        (local.set $d (v128.load offset=48 (local.get $source)))
        (local.set $a2 (v128.or (local.get $a) (local.get $lowerCase)))
        (local.set $b2 (v128.or (local.get $b) (local.get $lowerCase)))
        (local.set $c2 (v128.or (local.get $c) (local.get $lowerCase)))
        (local.set $d2 (v128.or (local.get $d) (local.get $lowerCase)))
        (local.set $inside
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $quotes))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $quotes)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $quotes)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $quotes)))) (i64.const 48)))))
        (local.set $escape
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $backslashes))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $backslashes)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $backslashes)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $backslashes)))) (i64.const 48)))))
        (local.set $comma
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $commas))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $commas)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $commas)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $commas)))) (i64.const 48)))))
        (local.set $line
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $lines))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $lines)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $lines)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $lines)))) (i64.const 48)))))
        (local.set $open
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a2) (local.get $opens))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b2) (local.get $opens)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c2) (local.get $opens)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d2) (local.get $opens)))) (i64.const 48)))))
        (local.set $close
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a2) (local.get $closes))))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b2) (local.get $closes)))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c2) (local.get $closes)))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d2) (local.get $closes)))) (i64.const 48)))))
        (local.set $high
          (i64.or
            (i64.or
              (i64.extend_i32_u (i8x16.bitmask (local.get $a)))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $b))) (i64.const 16)))
            (i64.or
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $c))) (i64.const 32))
              (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $d))) (i64.const 48)))))
        ;; A backslash escapes the byte behind it, unless it is escaped.
        (local.set $escaped (local.get $carry))
        (local.set $escape (i64.and (local.get $escape) (i64.xor (local.get $carry) (i64.const -1))))
        (local.set $carry (i64.const 0))
        (block $none
          (loop $next
            (br_if $none (i64.eqz (local.get $escape)))
            (local.set $bit (i64.and (local.get $escape) (i64.sub (i64.const 0) (local.get $escape))))
            (local.set $escaped (i64.or (local.get $escaped) (i64.shl (local.get $bit) (i64.const 1))))
            (if (i64.eq (local.get $bit) (i64.shl (i64.const 1) (i64.extend_i32_u (i32.sub (local.get $length) (i32.const 1)))))
              (then (local.set $carry (i64.const 1))))
            (local.set $escape
              (i64.and
                (local.get $escape)
                (i64.xor (i64.or (local.get $bit) (i64.shl (local.get $bit) (i64.const 1))) (i64.const -1))))
            (br $next)))
        ;; A bit is set if its byte is in a string, the opening quote included: the parity of the quotes up to it.
        (local.set $inside (i64.and (local.get $inside) (i64.xor (local.get $escaped) (i64.const -1))))
        (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 1))))
        (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 2))))
        (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 4))))
        (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 8))))
        (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 16))))
        (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 32))))
        (local.set $inside (i64.xor (local.get $inside) (local.get $wasInside)))
        (local.set $wasInside (i64.shr_s (local.get $inside) (i64.const 63)))
        (local.set $inside (i64.xor (local.get $inside) (i64.const -1)))
        (local.set $open (i64.and (local.get $open) (local.get $inside)))
        (local.set $close (i64.and (local.get $close) (local.get $inside)))
        (local.set $comma (i64.and (local.get $comma) (local.get $inside)))
        (local.set $seen (i64.const -1))
        (if (i64.lt_u (i64.popcnt (local.get $close)) (i64.extend_i32_u (local.get $depth)))
          ;; Nothing can end here.
          (then
            (local.set $depth
              (i32.add
                (local.get $depth)
                (i32.wrap_i64 (i64.sub (i64.popcnt (local.get $open)) (i64.popcnt (local.get $close)))))))
          (else
            (local.set $bracket (i64.or (local.get $open) (local.get $close)))
            (block $stepDone
              (loop $next
                (local.set $wanted
                  (select
                    (local.get $bracket)
                    (i64.or (local.get $bracket) (local.get $comma))
                    (local.get $depth)))
                (br_if $stepDone (i64.eqz (local.get $wanted)))
                (local.set $bit (i64.and (local.get $wanted) (i64.sub (i64.const 0) (local.get $wanted))))
                (if (i64.ne (i64.and (local.get $open) (local.get $bit)) (i64.const 0))
                  (then (local.set $depth (i32.add (local.get $depth) (i32.const 1))))
                  (else
                    (if (i32.ne (local.get $depth) (i32.const 0))
                      (then (local.set $depth (i32.sub (local.get $depth) (i32.const 1))))
                      (else
                        (local.set $position (i32.wrap_i64 (i64.ctz (local.get $bit))))
                        (if (i64.eqz (i64.and (local.get $close) (local.get $bit)))
                          (then
                            (i32.store (local.get $out) (i32.add (i32.add (local.get $at) (local.get $position)) (i32.const 1)))
                            (local.set $out (i32.add (local.get $out) (i32.const 4))))
                          (else
                            ;; The end of the array, or a brace that closes nothing, which is not counted.
                            (local.set $carry (i64.const 0))
                            (local.set $wasInside (i64.const 0))
                            (if (i32.eq (i32.load8_u (i32.add (local.get $at) (local.get $position))) (i32.const 93))
                              (then
                                (local.set $flags (i32.or (local.get $flags) (i32.const 4)))
                                (local.set $length (i32.add (local.get $position) (i32.const 1)))
                                (i32.store (local.get $out) (i32.add (local.get $at) (local.get $length)))
                                (local.set $out (i32.add (local.get $out) (i32.const 4)))
                                (local.set $seen (i64.or (local.get $bit) (i64.sub (local.get $bit) (i64.const 1)))))
                              (else
                                (local.set $flags (i32.or (local.get $flags) (i32.const 8)))
                                (local.set $length (local.get $position))
                                (local.set $seen (i64.sub (local.get $bit) (i64.const 1)))))
                            (br $stepDone)))))))
                ;; Forgets all up to here.
                (local.set $bit (i64.sub (i64.const 0) (i64.shl (local.get $bit) (i64.const 1))))
                (local.set $bracket (i64.and (local.get $bracket) (local.get $bit)))
                (local.set $comma (i64.and (local.get $comma) (local.get $bit)))
                (br $next)))))
        (local.set $newlines
          (i32.add
            (local.get $newlines)
            (i32.wrap_i64 (i64.popcnt (i64.and (local.get $line) (local.get $seen))))))
        (local.set $flags
          (i32.or (local.get $flags) (i64.ne (i64.and (local.get $high) (local.get $seen)) (i64.const 0))))
        (local.set $at (i32.add (local.get $at) (local.get $length)))
        (br_if $step (i32.eqz (i32.and (local.get $flags) (i32.const 12))))))
    (i32.store (local.get $result) (i32.shr_u (i32.sub (local.get $out) (local.get $first)) (i32.const 2)))
    (i32.store offset=4 (local.get $result)
      (i32.or
        (local.get $flags)
        (i32.or
          (i32.and (i32.wrap_i64 (local.get $wasInside)) (i32.const 16))
          (i32.shl (i32.wrap_i64 (local.get $carry)) (i32.const 5)))))
    (i32.store offset=8 (local.get $result) (local.get $newlines))
    (i32.store offset=12 (local.get $result) (local.get $depth))
    (i32.sub (local.get $at) (local.get $from)))
)
