/** Whether two types are the same; assignable to each other is not enough. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- two open conditional types are compared exactly
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** Does not compile unless its argument is `true`. */
export type Expect<T extends true> = T
