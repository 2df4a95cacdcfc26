/** The connection's surroundings in a real browser. */

import { apiUrl } from '@/api/client';
import { token } from '@/api/token';
import { PROTOCOL, type Surroundings } from '@/live/connection';
import { session } from '@/session/session';

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
    // A browser hides why a WebSocket was refused; this question tells: nobody is in any more, or it is with another role
    // or for other enterprises, of which those who are bound are sent no entry.
    void session.ask();
  },
};
