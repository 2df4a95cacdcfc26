/** One shape per grade, so that it is known without its colour, in a box of 20 by 20. */

import type { Grade } from '@/api/types';

/** Square, triangle, diamond, circle. */
export const SHAPES: Readonly<Record<Grade, string>> = {
  red: 'M2.5 2.5h15v15h-15z',
  orange: 'M10 2 18.500 17.500H1.500z',
  yellow: 'M10 1 19 10 10 19 1 10z',
  blue: 'M2 10a8 8 0 1 0 16 0 8 8 0 1 0-16 0z',
};
