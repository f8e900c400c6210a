/**
 * The words of packed masks as int32, the type of bit operations: engines keep it in registers,
 * while a uint32 above 2³¹ becomes a float64.
 */
export function signedWords(bits: Uint32Array): Int32Array {
  return new Int32Array(bits.buffer, bits.byteOffset, bits.length);
}
