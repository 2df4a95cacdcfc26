import { createApp } from 'vue';

import App from '@/App.vue';
import { adoptToken } from '@/api/token';
import { i18n } from '@/i18n';
import { createConsoleRouter } from '@/router';
import { startSession } from '@/session/session';
import { scrolled } from '@/styles/scrolled';
import { isUpgraded } from '@/upgrading';

import '@/styles/tokens.css';
import '@/styles/base.css';

// Before the router, which reads the fragment too.
adoptToken(window.location, window.history);
startSession();
const router = createConsoleRouter();
router.onError(async (_, to) => {
  const entry = document.querySelector('script[type=module]')?.getAttribute('src');
  if (entry == null || !(await isUpgraded(entry))) return;
  window.history.replaceState(null, '', router.resolve(to).href);
  window.location.reload();
});
window.addEventListener('hashchange', () => {
  // A link with a token was opened in a tab that has the page already.
  if (adoptToken(window.location, window.history)) void router.replace({ name: 'watch' });
});
createApp(App).use(i18n).use(router).directive('scrolled', scrolled).mount('#app');
