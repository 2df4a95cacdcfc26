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
      { path: '/wall', name: 'wall', component: () => import('@/pages/WallPage.vue'), meta: { wall: true } },
      { path: '/trends', name: 'trends', component: () => import('@/pages/TrendsPage.vue') },
      {
        path: '/site-plans/:enterprise?/:plan(\\d+)?',
        name: 'sitePlan',
        component: () => import('@/pages/SitePlanPage.vue'),
        props: ({ params: { enterprise, plan } }) => ({ enterprise, plan: typeof plan === 'string' && plan !== '' ? Number(plan) : undefined }),
      },
      { path: '/map', name: 'map', component: () => import('@/pages/MapPage.vue') },
      { path: '/gateways', name: 'gateways', component: () => import('@/pages/GatewaysPage.vue') },
      { path: '/journal', name: 'journal', component: () => import('@/pages/JournalPage.vue') },
      { path: '/search', name: 'search', component: () => import('@/pages/SearchPage.vue') },
      { path: '/kpi', name: 'kpi', component: () => import('@/pages/KpiPage.vue') },
      { path: '/suppressed', name: 'suppressed', component: () => import('@/pages/SuppressedPage.vue') },
      {
        path: '/tuning/:enterprise?/:unit?/:tag?',
        name: 'tuning',
        component: () => import('@/pages/TuningPage.vue'),
        props: true,
      },
      {
        path: '/changes/:id(\\d+)?',
        name: 'changes',
        component: () => import('@/pages/ChangesPage.vue'),
        props: (route) => ({ id: typeof route.params.id === 'string' && route.params.id !== '' ? Number(route.params.id) : null }),
      },
      { path: '/drills', name: 'drills', component: () => import('@/pages/DrillsPage.vue') },
      { path: '/handover', name: 'handover', component: () => import('@/pages/HandoverPage.vue') },
      { path: '/contacts', name: 'contacts', component: () => import('@/pages/ContactsPage.vue') },
      {
        path: '/plans/:part?',
        name: 'plans',
        component: () => import('@/pages/PlansPage.vue'),
        props: (route) => ({ part: String(route.params.part) }),
      },
      { path: '/messages', name: 'messages', component: () => import('@/pages/MessagesPage.vue') },
      {
        path: '/administration/:part?/:number(\\d+)?',
        name: 'administration',
        component: () => import('@/pages/AdministrationPage.vue'),
        props: ({ params: { part, number } }) => ({ part: String(part), number: typeof number === 'string' && number !== '' ? Number(number) : null }),
      },
      { path: '/account', name: 'account', component: () => import('@/pages/AccountPage.vue') },
      { path: '/accounts', name: 'accounts', component: () => import('@/pages/AccountsPage.vue') },
      {
        path: '/code/:code?',
        name: 'code',
        component: () => import('@/pages/CodePage.vue'),
        props: (route) => ({ code: typeof route.params.code === 'string' ? route.params.code : '' }),
        meta: { open: true },
      },
      { path: '/:rest(.*)*', name: 'missing', component: () => import('@/pages/MissingPage.vue') },
    ],
  });
}
