/** QR codes as an outline for SVG: drawn here, so that the secret goes nowhere. */

import { encode } from 'uqr';

export interface Picture {
  size: number;
  path: string;
}

/** Black modules as squares of 1, with the quiet zone of four that ISO/IEC 18004 asks for. */
export function outlineOf(text: string): Picture {
  const { data, size } = encode(text, { ecc: 'M', border: 4 });
  const squares = data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return { size, path: squares.join('') };
}

/** `ABCD EFGH`, to be typed. */
export function inFours(secret: string): string {
  return secret.replace(/(.{4})(?=.)/g, '$1 ');
}
