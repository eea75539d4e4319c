;; Finds a byte in memory, 64 bytes a step, and writes where each one ends: the address behind it.
;; kernel.ts has this module assembled; `npm run build:kernel` renews it. fallback.ts does the same in JavaScript.
;; Records that are not lines, such as those of CSV, will be other functions of this module, on the same memory.
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
    (i32.sub (local.get $at) (local.get $from))))
