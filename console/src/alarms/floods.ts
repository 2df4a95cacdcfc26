/** Alarm floods 报警泛滥, as desks have them. */

import type { Desk } from '@/api/types';

/** The flood that a console shows: its own desk's; where it stands at none, that of the busiest desk. */
export function floodOf(all: readonly Desk[], desk: string): Desk | null {
  const floods = all.filter((each) => each.flood_began_at !== null && (desk === '' || each.id === desk));
  return floods.reduce<Desk | null>((most, each) => (most === null || each.rate > most.rate ? each : most), null);
}
