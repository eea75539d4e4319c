;; Finds the wanted members of objects of JSON, and writes them into one array.
;; members-kernel.ts has this module assembled; `npm run build:kernel` renews it. members.ts has the definition, and
;; says how the memory is used.
(module
  (memory (import "scan" "memory") 1 65536 shared)

  (func $isSpace (param $byte i32) (result i32)
    (i32.or
      (i32.or (i32.eq (local.get $byte) (i32.const 32)) (i32.eq (local.get $byte) (i32.const 10)))
      (i32.or (i32.eq (local.get $byte) (i32.const 13)) (i32.eq (local.get $byte) (i32.const 9)))))

  ;; Where the white space ends that begins at $at, at most at $end.
  (func $skip (param $at i32) (param $end i32) (result i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (br_if $done (i32.eqz (call $isSpace (i32.load8_u (local.get $at)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (local.get $at))

  ;; Where the white space begins that ends at $at. Before it stands something else.
  (func $back (param $at i32) (result i32)
    (loop $next
      (if (call $isSpace (i32.load8_u (i32.sub (local.get $at) (i32.const 1))))
        (then
          (local.set $at (i32.sub (local.get $at) (i32.const 1)))
          (br $next))))
    (local.get $at))

  ;; Copies bytes, and up to 15 more, to where there is room for them. Returns where they end.
  (func $copy (param $to i32) (param $from i32) (param $length i32) (result i32)
    (local $end i32)
    (local.set $end (i32.add (local.get $to) (local.get $length)))
    (loop $next
      (v128.store (local.get $to) (v128.load (local.get $from)))
      (local.set $to (i32.add (local.get $to) (i32.const 16)))
      (local.set $from (i32.add (local.get $from) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $to) (local.get $end))))
    (local.get $end))

  ;; The column whose name is written in these bytes, with its quotes. -1: none. -2: they are not one plain string.
  (func $columnOf (param $from i32) (param $length i32) (param $columns i32) (param $size i32) (result i32)
    (local $at i32)
    (local $last i32)
    (local $byte i32)
    (local $column i32)
    (local $name i32)
    (if (i32.lt_s (local.get $length) (i32.const 2)) (then (return (i32.const -2))))
    (local.set $last (i32.sub (i32.add (local.get $from) (local.get $length)) (i32.const 1)))
    (if
      (i32.or
        (i32.ne (i32.load8_u (local.get $from)) (i32.const 34))
        (i32.ne (i32.load8_u (local.get $last)) (i32.const 34)))
      (then (return (i32.const -2))))
    (local.set $at (i32.add (local.get $from) (i32.const 1)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $at) (local.get $last)))
        (local.set $byte (i32.load8_u (local.get $at)))
        (if
          (i32.or
            (i32.lt_u (local.get $byte) (i32.const 32))
            (i32.or (i32.eq (local.get $byte) (i32.const 34)) (i32.eq (local.get $byte) (i32.const 92))))
          (then (return (i32.const -2))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (block $none
      (loop $nextColumn
        (br_if $none (i32.ge_u (local.get $column) (local.get $size)))
        (block $differs
          ;; The text of a column has a colon, too.
          (br_if $differs
            (i32.ne (i32.load offset=4 (local.get $columns)) (i32.add (local.get $length) (i32.const 1))))
          (local.set $name (i32.sub (i32.load (local.get $columns)) (local.get $from)))
          (local.set $at (local.get $from))
          (loop $nextByte
            (br_if $differs
              (i32.ne (i32.load8_u (local.get $at)) (i32.load8_u (i32.add (local.get $at) (local.get $name)))))
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (br_if $nextByte (i32.lt_u (local.get $at) (local.get $last))))
          (return (local.get $column)))
        (local.set $columns (i32.add (local.get $columns) (i32.const 16)))
        (local.set $column (i32.add (local.get $column) (i32.const 1)))
        (br $nextColumn)))
    (i32.const -1))

  ;; Takes $count records, from $start on, whose ends (u32, behind the byte that ends each one) are at $ends. Writes from
  ;; $out on an array of JSON with what is found of each, in the order of the columns: the values as an array if it has
  ;; all, or else an object of the members that it has. Writes to $outEnds where each of these ends. A record that is in
  ;; doubt is a zero there, and the highest bit of its end is set. Returns where the array ends. 64 bytes behind the records
  ;; can be read, and 16 behind the array can be written.
  ;;
  ;; $columns: $size entries of 16 bytes. The address and length of a name as JSON with a colon behind it; and room for
  ;; two numbers. From 1 to 64.
  ;; $layout: 64 entries of 48 bytes, and one more. The keys of the last record, so that those of the next one are known
  ;; at once if they are the same: a key in its quotes, its length (the lowest number: none) and its column.
  (func (export "members")
    (param $start i32) (param $ends i32) (param $count i32)
    (param $columns i32) (param $size i32) (param $layout i32)
    (param $out i32) (param $outEnds i32)
    (result i32)
    (local $end i32)
    (local $first i32)
    (local $at i32)
    (local $left i32)
    ;; 0 the object begins, 1 a key is next, 2 in a value, 3 the object has ended, 4 in doubt.
    (local $state i32)
    (local $depth i32)
    (local $entry i32)
    (local $lastEntry i32)
    ;; The last brace, comma or colon of the object itself.
    (local $sign i32)
    (local $position i32)
    (local $byte i32)
    (local $from i32)
    (local $to i32)
    (local $length i32)
    (local $column i32)
    (local $a v128) (local $b v128) (local $c v128) (local $d v128)
    (local $quote v128) (local $backslash v128) (local $table v128) (local $low v128) (local $case v128)
    (local $valid i64)
    (local $quotes i64)
    (local $backslashes i64)
    (local $escapes i64)
    (local $bit i64)
    (local $carry i64)
    (local $inside i64)
    (local $wasInside i64)
    (local $signs i64)
    (local $seen i64)
    (local $all i64)
    (local $isWhole i32)
    (local $closing i32)
    (local.set $quote (i8x16.splat (i32.const 34)))
    (local.set $backslash (i8x16.splat (i32.const 92)))
    (local.set $table (v128.const i8x16 0 0 0 0 0 0 0 0 0 0 58 123 44 125 0 0))
    (local.set $low (i8x16.splat (i32.const 15)))
    (local.set $case (i8x16.splat (i32.const 32)))
    (local.set $all (i64.shr_u (i64.const -1) (i64.extend_i32_u (i32.sub (i32.const 64) (local.get $size)))))
    (local.set $lastEntry (i32.add (local.get $layout) (i32.const 3072)))
    (i32.store8 (local.get $out) (i32.const 91))
    (local.set $out (i32.add (local.get $out) (i32.const 1)))
    (loop $record
      (local.set $end (i32.sub (i32.load (local.get $ends)) (i32.const 1)))
      (local.set $state (i32.const 0))
      (local.set $depth (i32.const 0))
      (local.set $seen (i64.const 0))
      (local.set $carry (i64.const 0))
      (local.set $wasInside (i64.const 0))
      (local.set $entry (local.get $layout))
      (local.set $first (call $skip (local.get $start) (local.get $end)))
      (local.set $at (local.get $first))
      (block $stop
        (loop $step
          (br_if $stop (i32.ge_u (local.get $at) (local.get $end)))
          (local.set $left (i32.sub (local.get $end) (local.get $at)))
          (local.set $valid
            (select
              (i64.const -1)
              (i64.sub (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $left))) (i64.const 1))
              (i32.ge_u (local.get $left) (i32.const 64))))
          (local.set $a (v128.load (local.get $at)))
          (local.set $b (v128.load offset=16 (local.get $at)))
          (local.set $c (v128.load offset=32 (local.get $at)))
          (local.set $d (v128.load offset=48 (local.get $at)))
          (local.set $quotes
            (i64.and
              (local.get $valid)
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $quote))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $quote)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $quote)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $quote)))) (i64.const 48))))))
          (local.set $backslashes
            (i64.and
              (local.get $valid)
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $a) (local.get $backslash))))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $b) (local.get $backslash)))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $c) (local.get $backslash)))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (i8x16.eq (local.get $d) (local.get $backslash)))) (i64.const 48))))))
          ;; A backslash escapes the byte behind it, unless it is escaped.
          (if (i64.ne (i64.or (local.get $backslashes) (local.get $carry)) (i64.const 0))
            (then
              (local.set $escapes (i64.and (local.get $backslashes) (i64.xor (local.get $carry) (i64.const -1))))
              (local.set $quotes (i64.and (local.get $quotes) (i64.xor (local.get $carry) (i64.const -1))))
              (local.set $carry (i64.const 0))
              (block $none
                (loop $next
                  (br_if $none (i64.eqz (local.get $escapes)))
                  (local.set $bit (i64.and (local.get $escapes) (i64.sub (i64.const 0) (local.get $escapes))))
                  (local.set $carry (i64.shr_u (local.get $bit) (i64.const 63)))
                  (local.set $bit (i64.or (local.get $bit) (i64.shl (local.get $bit) (i64.const 1))))
                  (local.set $quotes (i64.and (local.get $quotes) (i64.xor (local.get $bit) (i64.const -1))))
                  (local.set $escapes (i64.and (local.get $escapes) (i64.xor (local.get $bit) (i64.const -1))))
                  (br $next)))))
          ;; A bit is set if its byte is in a string, the opening quote included: the parity of the quotes up to it.
          (local.set $inside (local.get $quotes))
          (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 1))))
          (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 2))))
          (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 4))))
          (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 8))))
          (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 16))))
          (local.set $inside (i64.xor (local.get $inside) (i64.shl (local.get $inside) (i64.const 32))))
          (local.set $inside (i64.xor (local.get $inside) (local.get $wasInside)))
          (local.set $wasInside (i64.shr_s (local.get $inside) (i64.const 63)))
          (local.set $inside (i64.and (local.get $valid) (i64.xor (local.get $inside) (i64.const -1))))
          ;; From here on it has the bytes outside of strings. There a backslash is wrong.
          (if (i64.ne (i64.and (local.get $backslashes) (local.get $inside)) (i64.const 0))
            (then
              (local.set $state (i32.const 4))
              (br $stop)))
          ;; The bytes , : [ ] { and }. With bit 5 set, the low half of each of them tells which one it is. So does that of
          ;; 0x0c and 0x1a, which are found too.
          (local.set $a
            (i8x16.eq
              (i8x16.swizzle (local.get $table) (v128.and (local.get $a) (local.get $low)))
              (v128.or (local.get $a) (local.get $case))))
          (local.set $b
            (i8x16.eq
              (i8x16.swizzle (local.get $table) (v128.and (local.get $b) (local.get $low)))
              (v128.or (local.get $b) (local.get $case))))
          (local.set $c
            (i8x16.eq
              (i8x16.swizzle (local.get $table) (v128.and (local.get $c) (local.get $low)))
              (v128.or (local.get $c) (local.get $case))))
          (local.set $d
            (i8x16.eq
              (i8x16.swizzle (local.get $table) (v128.and (local.get $d) (local.get $low)))
              (v128.or (local.get $d) (local.get $case))))
          (local.set $signs
            (i64.and
              (local.get $inside)
              (i64.or
                (i64.or
                  (i64.extend_i32_u (i8x16.bitmask (local.get $a)))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $b))) (i64.const 16)))
                (i64.or
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $c))) (i64.const 32))
                  (i64.shl (i64.extend_i32_u (i8x16.bitmask (local.get $d))) (i64.const 48))))))
          (block $none
            (loop $next
              (br_if $none (i64.eqz (local.get $signs)))
              (local.set $position
                (i32.add (local.get $at) (i32.wrap_i64 (i64.ctz (local.get $signs)))))
              (local.set $signs (i64.and (local.get $signs) (i64.sub (local.get $signs) (i64.const 1))))
              (local.set $byte (i32.load8_u (local.get $position)))
              (if (i32.gt_u (local.get $depth) (i32.const 1))
                (then
                  ;; Brackets of both kinds count alike.
                  (local.set $byte (i32.or (local.get $byte) (i32.const 32)))
                  (local.set $depth
                    (i32.sub
                      (i32.add (local.get $depth) (i32.eq (local.get $byte) (i32.const 123)))
                      (i32.eq (local.get $byte) (i32.const 125))))
                  (br $next)))
              (if (i32.eq (local.get $byte) (i32.const 58))
                (then
                  (if (i32.ne (local.get $state) (i32.const 1))
                    (then
                      (local.set $state (i32.const 4))
                      (br $stop)))
                  (local.set $from (i32.add (local.get $sign) (i32.const 1)))
                  (if (i32.le_u (i32.load8_u (local.get $from)) (i32.const 32))
                    (then (local.set $from (call $skip (local.get $from) (local.get $position)))))
                  (local.set $to (local.get $position))
                  (if (i32.le_u (i32.load8_u (i32.sub (local.get $to) (i32.const 1))) (i32.const 32))
                    (then (local.set $to (call $back (local.get $to)))))
                  (local.set $length (i32.sub (local.get $to) (local.get $from)))
                  (block $known
                    (if (i32.eq (local.get $length) (i32.load offset=32 (local.get $entry)))
                      (then
                        (local.set $column (i32.load offset=36 (local.get $entry)))
                        (br_if $known
                          (i32.eqz
                            (i32.and
                              (i32.sub (i32.shl (i32.const 1) (local.get $length)) (i32.const 1))
                              (i32.xor
                                (i32.or
                                  (i8x16.bitmask
                                    (i8x16.eq (v128.load (local.get $from)) (v128.load (local.get $entry))))
                                  (i32.shl
                                    (i8x16.bitmask
                                      (i8x16.eq
                                        (v128.load offset=16 (local.get $from))
                                        (v128.load offset=16 (local.get $entry))))
                                    (i32.const 16)))
                                (i32.const -1)))))))
                    (local.set $column
                      (call $columnOf (local.get $from) (local.get $length) (local.get $columns) (local.get $size)))
                    (if (i32.eq (local.get $column) (i32.const -2))
                      (then
                        (local.set $state (i32.const 4))
                        (br $stop)))
                    (if
                      (i32.and
                        (i32.lt_u (local.get $length) (i32.const 32))
                        (i32.lt_u (local.get $entry) (local.get $lastEntry)))
                      (then
                        (v128.store (local.get $entry) (v128.load (local.get $from)))
                        (v128.store offset=16 (local.get $entry) (v128.load offset=16 (local.get $from)))
                        (i32.store offset=32 (local.get $entry) (local.get $length))
                        (i32.store offset=36 (local.get $entry) (local.get $column)))))
                  ;; The last entry has no key.
                  (if (i32.lt_u (local.get $entry) (local.get $lastEntry))
                    (then (local.set $entry (i32.add (local.get $entry) (i32.const 48)))))
                  (local.set $state (i32.const 2))
                  (local.set $sign (local.get $position))
                  (br $next)))
              (if
                (i32.or
                  (i32.eq (local.get $byte) (i32.const 44))
                  (i32.eq (i32.or (local.get $byte) (i32.const 32)) (i32.const 125)))
                (then
                  (if (i32.eq (local.get $state) (i32.const 2))
                    (then
                      (local.set $from (i32.add (local.get $sign) (i32.const 1)))
                      (if (i32.le_u (i32.load8_u (local.get $from)) (i32.const 32))
                        (then (local.set $from (call $skip (local.get $from) (local.get $position)))))
                      ;; A value must be there.
                      (if (i32.ge_u (local.get $from) (local.get $position))
                        (then
                          (local.set $state (i32.const 4))
                          (br $stop)))
                      (if (i32.ge_s (local.get $column) (i32.const 0))
                        (then
                          ;; Of equal keys the last one counts. Such a record is rare.
                          (local.set $bit (i64.shl (i64.const 1) (i64.extend_i32_u (local.get $column))))
                          (if (i64.ne (i64.and (local.get $seen) (local.get $bit)) (i64.const 0))
                            (then
                              (local.set $state (i32.const 4))
                              (br $stop)))
                          (local.set $seen (i64.or (local.get $seen) (local.get $bit)))
                          (local.set $to (i32.add (local.get $columns) (i32.shl (local.get $column) (i32.const 4))))
                          (i32.store offset=8 (local.get $to) (local.get $from))
                          (i32.store offset=12 (local.get $to) (local.get $position))
                          (if (i32.le_u (i32.load8_u (i32.sub (local.get $position) (i32.const 1))) (i32.const 32))
                            (then (i32.store offset=12 (local.get $to) (call $back (local.get $position))))))))
                    (else
                      ;; Only an object without members ends before a key.
                      (if
                        (i32.or
                          (i32.or
                            (i32.ne (local.get $state) (i32.const 1))
                            (i32.ne (local.get $byte) (i32.const 125)))
                          (i32.ne (i32.load8_u (local.get $sign)) (i32.const 123)))
                        (then
                          (local.set $state (i32.const 4))
                          (br $stop)))
                      (if
                        (i32.ne (call $back (local.get $position)) (i32.add (local.get $sign) (i32.const 1)))
                        (then
                          (local.set $state (i32.const 4))
                          (br $stop)))))
                  (local.set $sign (local.get $position))
                  (local.set $state (i32.const 1))
                  (br_if $next (i32.eq (local.get $byte) (i32.const 44)))
                  (local.set $state
                    (select
                      (i32.const 3)
                      (i32.const 4)
                      (i32.and
                        (i32.eq (local.get $byte) (i32.const 125))
                        (i32.eq
                          (call $skip (i32.add (local.get $position) (i32.const 1)) (local.get $end))
                          (local.get $end)))))
                  (br $stop)))
              (if (i32.eq (i32.or (local.get $byte) (i32.const 32)) (i32.const 123))
                (then
                  (if (i32.eq (local.get $depth) (i32.const 1))
                    (then
                      (if (i32.ne (local.get $state) (i32.const 2))
                        (then
                          (local.set $state (i32.const 4))
                          (br $stop))))
                    (else
                      (if
                        (i32.or
                          (i32.ne (local.get $byte) (i32.const 123))
                          (i32.ne (local.get $position) (local.get $first)))
                        (then
                          (local.set $state (i32.const 4))
                          (br $stop)))
                      (local.set $state (i32.const 1))
                      (local.set $sign (local.get $position))))
                  (local.set $depth (i32.add (local.get $depth) (i32.const 1)))))
              (br $next)))
          (local.set $at (i32.add (local.get $at) (i32.const 64)))
          (br $step)))
      (if (i32.eq (local.get $state) (i32.const 3))
        (then
          (local.set $byte (select (i32.const 91) (i32.const 123) (i64.eq (local.get $seen) (local.get $all))))
          (local.set $closing (i32.add (local.get $byte) (i32.const 2)))
          (i32.store8 (local.get $out) (local.get $byte))
          (local.set $out (i32.add (local.get $out) (i64.eqz (local.get $seen))))
          (local.set $isWhole (i64.eq (local.get $seen) (local.get $all)))
          (block $none
            (loop $next
              (br_if $none (i64.eqz (local.get $seen)))
              (local.set $to
                (i32.add
                  (local.get $columns)
                  (i32.shl (i32.wrap_i64 (i64.ctz (local.get $seen))) (i32.const 4))))
              (local.set $seen (i64.and (local.get $seen) (i64.sub (local.get $seen) (i64.const 1))))
              (i32.store8 (local.get $out) (local.get $byte))
              (local.set $byte (i32.const 44))
              (local.set $out (i32.add (local.get $out) (i32.const 1)))
              (if (i32.eqz (local.get $isWhole))
                (then
                  (local.set $out
                    (call $copy
                      (local.get $out)
                      (i32.load (local.get $to))
                      (i32.load offset=4 (local.get $to))))))
              (local.set $out
                (call $copy
                  (local.get $out)
                  (i32.load offset=8 (local.get $to))
                  (i32.sub (i32.load offset=12 (local.get $to)) (i32.load offset=8 (local.get $to)))))
              (br $next)))
          (i32.store8 (local.get $out) (local.get $closing))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (i32.store (local.get $outEnds) (local.get $out)))
        (else
          (i32.store8 (local.get $out) (i32.const 48))
          (local.set $out (i32.add (local.get $out) (i32.const 1)))
          (i32.store (local.get $outEnds) (i32.or (local.get $out) (i32.const 0x80000000)))))
      (i32.store8 (local.get $out) (i32.const 44))
      (local.set $out (i32.add (local.get $out) (i32.const 1)))
      (local.set $start (i32.add (local.get $end) (i32.const 1)))
      (local.set $ends (i32.add (local.get $ends) (i32.const 4)))
      (local.set $outEnds (i32.add (local.get $outEnds) (i32.const 4)))
      (local.set $count (i32.sub (local.get $count) (i32.const 1)))
      (br_if $record (local.get $count)))
    (i32.store8 (i32.sub (local.get $out) (i32.const 1)) (i32.const 93))
    (local.get $out))
)
