/** All pages that are loaded when they are first asked for: so that each opens too once the service is gone. */

import type { Router } from 'vue-router';

export function loadPages(router: Pick<Router, 'getRoutes'>): void {
  for (const { components } of router.getRoutes()) {
    const page = components?.default;
    if (typeof page === 'function') (page as () => Promise<unknown>)().catch(() => undefined); // tried again when it is opened
  }
}
