/** Messages and readings per second of gateways, from the counts that the service tells. */

import type { Gateway } from '@/api/types';

/** So far back the mean goes [ours]. */
const WINDOW_MS = 60_000;

export interface Rates {
  messages: number;
  readings: number;
}

interface Count extends Rates {
  at: number;
}

type Counted = Pick<Gateway, 'enterprise' | 'gateway' | 'messages' | 'readings'>;

export class RateMeter {
  private readonly counts = new Map<string, Count[]>();

  /** Takes the counts of an answer that came at an instant, ms. */
  take(gateways: readonly Counted[], at: number): void {
    const paths = new Set(gateways.map(pathOf));
    for (const path of [...this.counts.keys()]) if (!paths.has(path)) this.counts.delete(path);
    for (const gateway of gateways) {
      const path = pathOf(gateway);
      const { messages, readings } = gateway;
      const known = this.counts.get(path) ?? [];
      const last = known.at(-1);
      // The service has started anew and counts from nought.
      const begun = last !== undefined && (messages < last.messages || readings < last.readings || at <= last.at);
      const kept = begun ? [] : known;
      kept.push({ at, messages, readings });
      while (kept.length > 2 && at - (kept[0]?.at ?? at) > WINDOW_MS) kept.shift();
      this.counts.set(path, kept);
    }
  }

  /** Mean of the last minute; null: it was asked for once only. */
  of(gateway: Pick<Counted, 'enterprise' | 'gateway'>): Rates | null {
    const known = this.counts.get(pathOf(gateway)) ?? [];
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined || first === last) return null;
    const seconds = (last.at - first.at) / 1000;
    return { messages: (last.messages - first.messages) / seconds, readings: (last.readings - first.readings) / seconds };
  }
}

function pathOf(gateway: Pick<Counted, 'enterprise' | 'gateway'>): string {
  return `${gateway.enterprise}/${gateway.gateway}`;
}

/** `12.3`; a rate under 0.05 that is not nought is not called nought. */
export function formatPerSecond(rate: number): string {
  if (rate >= 100) return String(Math.round(rate));
  return rate > 0 && rate < 0.05 ? '< 0.1' : rate.toFixed(1);
}
