/** Nesting of a policy's expressions. Far above what people write, far below what overflows the stack of any JavaScript engine. */
export const expressionDepthMax = 500;

/** Nesting of sets and records in a value; cedar-wasm reads 118 to 125 levels, depending on where the value stands. */
export const valueDepthMax = 120;
