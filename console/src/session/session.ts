/** Who is signed in at this browser, from the first question at the start to the end of the session. */

import { computed, shallowRef, watch, type ShallowRef } from 'vue';

import { Problem, useCredentials } from '@/api/client';
import { dropToken, token, wasRefused } from '@/api/token';
import type { Account, Operation, SessionState } from '@/api/types';
import { officer } from '@/preferences/preferences';
import { askForSignature } from '@/session/signing';
import { beginSession, endSession, fetchSession, type SignIn } from '@/session/requests';

export type Stage =
  /** The service has not said yet who this is. */
  | 'asking'
  /** It does not answer; it is asked again. */
  | 'unreachable'
  | 'out'
  | 'in'
  /** It was `in`, and the page stands as it was then. */
  | 'ended';

export interface Requests {
  fetch: () => Promise<SessionState>;
  begin: (by: SignIn) => Promise<SessionState>;
  end: () => Promise<unknown>;
}

const RETRY_MS = 3_000;

export class Session {
  readonly stage: ShallowRef<Stage> = shallowRef('asking');
  /** As the service has told it last; stays after the end. */
  readonly state: ShallowRef<SessionState | null> = shallowRef(null);
  private readonly requests: Requests;
  private readonly allowed = computed(() => {
    const { value } = this.state;
    return value === null ? null : new Set(value.may);
  });
  private retry: ReturnType<typeof setTimeout> | undefined;
  private questions = 0;

  constructor(requests: Requests) {
    this.requests = requests;
  }

  get csrf(): string {
    return this.stage.value === 'in' ? (this.state.value?.csrf ?? '') : '';
  }

  /** Whether the role is allowed an act. With a token that the service has not answered for yet: as if it were. */
  may(operation: Operation): boolean {
    return this.allowed.value?.has(operation) ?? true;
  }

  /** Asks who this is. */
  async ask(): Promise<void> {
    clearTimeout(this.retry);
    this.questions += 1;
    const mine = this.questions;
    try {
      const state = await this.requests.fetch();
      if (mine === this.questions) this.take(state);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (mine !== this.questions) return;
      if (error.status === 401) this.refused();
      else if (this.stage.value === 'asking' || this.stage.value === 'unreachable') {
        this.stage.value = 'unreachable';
        this.retry = setTimeout(() => void this.ask(), RETRY_MS);
      }
    }
  }

  /** The service knows nobody any more. */
  refused(): void {
    if (this.stage.value === 'in') this.stage.value = 'ended';
    else if (this.stage.value !== 'ended') this.leave();
  }

  /** True: the same person has another session, by another tab. */
  async renew(): Promise<boolean> {
    const before = this.state.value;
    await this.ask();
    const now = this.state.value;
    return this.stage.value === 'in' && now?.name === before?.name && now?.csrf !== before?.csrf;
  }

  async signIn(by: SignIn): Promise<void> {
    this.take(await this.requests.begin(by));
  }

  async signOut(): Promise<void> {
    await this.requests.end();
    this.leave();
  }

  /** Whose enterprises are seen, and as what: with another, everything is loaded anew. */
  readonly view = computed(() => {
    const { value } = this.state;
    return value === null ? '' : [value.name, value.role, value.region ?? '', value.enterprise ?? ''].join('/');
  });

  /** The account has changed: its password, its codes. */
  changed(account: Account): void {
    if (this.state.value !== null) this.state.value = { ...this.state.value, account };
  }

  /** Nobody is here. */
  leave(): void {
    clearTimeout(this.retry);
    this.questions += 1;
    this.state.value = null;
    this.stage.value = 'out';
  }

  /** Begins anew, as for another token. */
  forget(): void {
    this.state.value = null;
    this.stage.value = 'asking';
  }

  private take(state: SessionState): void {
    this.questions += 1;
    this.state.value = state;
    this.stage.value = 'in';
  }
}

export const session = new Session({ fetch: fetchSession, begin: beginSession, end: endSession });

/** The account that is signed in; null: a token's bearer, or nobody. */
export const account = computed(() => (token() === null ? (session.state.value?.account ?? null) : null));

/** Whether a part of the site is seen, and not the service itself. */
export const isBound = computed(() => {
  const { value } = session.state;
  return value !== null && (value.region !== null || value.enterprise !== null);
});

/** Whether the role is allowed an act; what it is not is not offered. */
export function may(operation: Operation): boolean {
  return session.may(operation);
}

/** Asks at once, and again whenever there is a token or none any more. */
export function startSession(): void {
  useCredentials({
    get csrf() {
      return session.csrf;
    },
    refused: () => {
      session.refused();
    },
    renew: () => session.renew(),
    sign: askForSignature,
  });
  watch(
    token,
    () => {
      session.forget();
      void session.ask();
    },
    { immediate: true, flush: 'sync' },
  );
  // An account signs by its own name, and the next person at this browser not by that.
  watch(account, (now, before) => {
    if (now !== null) officer.value = now.display_name;
    else if (before != null) officer.value = '';
  });
}

/** Ends the session, or forgets the token. Raises Problem. */
export async function signOut(): Promise<void> {
  if (token() === null) {
    await session.signOut();
    return;
  }
  dropToken();
  wasRefused.value = false;
}
