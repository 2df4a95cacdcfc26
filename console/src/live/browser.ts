/** The connection's surroundings in a real browser. */

import { apiUrl } from '@/api/client';
import { probe } from '@/api/endpoints';
import { token } from '@/api/token';
import { PROTOCOL, type Surroundings } from '@/live/connection';

export const browserSurroundings: Surroundings = {
  open(since) {
    const url = apiUrl('live', { since });
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    return new WebSocket(url, [PROTOCOL, `bearer.${token() ?? ''}`]);
  },
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  refused() {
    // A browser hides why a WebSocket was refused; a plain request tells, and drops the token if it is the reason.
    probe().catch(() => undefined);
  },
};
