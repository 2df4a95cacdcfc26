/** The connection's surroundings in a real browser. */

import { apiUrl } from '@/api/client';
import { probe } from '@/api/endpoints';
import { token } from '@/api/token';
import { PROTOCOL, type Surroundings } from '@/live/connection';

export const browserSurroundings: Surroundings = {
  open(since) {
    const url = apiUrl('live', { since });
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const bearer = token();
    // Without a token the session's cookie says who connects.
    return new WebSocket(url, bearer === null ? [PROTOCOL] : [PROTOCOL, `bearer.${bearer}`]);
  },
  monotonic: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  refused() {
    // A browser hides why a WebSocket was refused; a plain request tells, and drops the token, or ends the session, if that is the reason.
    probe().catch(() => undefined);
  },
};
