/** Pages by address. The place is kept in the fragment, so the service has one file to serve. */

import { createRouter, createWebHashHistory, type Router } from 'vue-router';

import WatchPage from '@/pages/WatchPage.vue';

export function createConsoleRouter(): Router {
  return createRouter({
    history: createWebHashHistory(),
    routes: [
      { path: '/', name: 'watch', component: WatchPage },
      {
        path: '/incidents/:id(\\d+)',
        name: 'incident',
        component: () => import('@/pages/IncidentPage.vue'),
        props: (route) => ({ id: Number(route.params.id) }),
      },
      {
        path: '/enterprises/:enterprise?/:unit?',
        name: 'site',
        component: () => import('@/pages/SitePage.vue'),
        props: true,
      },
      { path: '/gateways', name: 'gateways', component: () => import('@/pages/GatewaysPage.vue') },
      { path: '/journal', name: 'journal', component: () => import('@/pages/JournalPage.vue') },
      { path: '/:rest(.*)*', name: 'missing', component: () => import('@/pages/MissingPage.vue') },
    ],
  });
}
