/** Quality of a sample, numbered as the classic OPC quality byte. */

export const GOOD = 192;
export const UNCERTAIN = 64;
