import { createApp } from 'vue';

import App from '@/App.vue';
import { adoptToken } from '@/api/token';
import { i18n } from '@/i18n';
import { createConsoleRouter } from '@/router';

import '@/styles/tokens.css';
import '@/styles/base.css';

adoptToken(window.location, window.history);
createApp(App).use(i18n).use(createConsoleRouter()).mount('#app');
