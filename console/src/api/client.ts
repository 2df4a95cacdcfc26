/** Requests to `/api/v1`: bearer token or the session's cookie, JSON, problem details as `Problem`. */

import { parsed } from '@/api/parsing';
import { dropToken, token } from '@/api/token';
import { desk } from '@/preferences/preferences';
import type { ProblemDetails } from '@/api/types';

/** A request that failed. `status` 0: no answer at all. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** What of the request was at fault, by the names that the API has for them. */
  readonly fields: readonly string[];
  /** Seconds to wait before another attempt, where the service says so. */
  readonly retryAfter: number | null;
  readonly code: ProblemDetails['code'];

  constructor(
    status: number,
    title: string,
    detail: string,
    fields: readonly string[] = [],
    retryAfter: number | null = null,
    code: ProblemDetails['code'] = null,
  ) {
    super(detail || title);
    this.name = 'Problem';
    this.status = status;
    this.title = title;
    this.detail = detail;
    this.fields = fields;
    this.retryAfter = retryAfter;
    this.code = code;
  }
}

/** Who has signed in, as far as requests care. */
export interface Credentials {
  /** What the service wants to be shown with each act of a session; empty: nobody has signed in. */
  csrf: string;
  /** The service knows nobody by the cookie that a request went out with. */
  refused: () => void;
  /** An act was not allowed: another tab may have signed in anew. True: it was the same person, try again. */
  renew: () => Promise<boolean>;
  /** The act is to be signed: asks for the password again. Null: the person has thought better of it. */
  sign: () => Promise<string | null>;
}

let credentials: Credentials = { csrf: '', refused: () => undefined, renew: () => Promise.resolve(false), sign: () => Promise.resolve(null) };

export function useCredentials(given: Credentials): void {
  credentials = given;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

const TIMEOUT_MS = 15_000;
const FILE_TIMEOUT_MS = 300_000;

/** Address below the API's root, relative to the page, so that the console also works under a path prefix. */
export function apiUrl(path: string, query: Query = {}): URL {
  const url = new URL(`api/v1/${path}`, document.baseURI);
  url.hash = '';
  url.search = '';
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') url.searchParams.set(key, String(value));
  }
  return url;
}

async function problemOf(response: Response): Promise<Problem> {
  const seconds = Number.parseInt(response.headers.get('Retry-After') ?? '', 10);
  const retryAfter = Number.isNaN(seconds) ? null : seconds;
  try {
    const body = parsed(await response.text()) as Partial<ProblemDetails>;
    const fields = (body.errors ?? []).map(({ field }) => field);
    return new Problem(response.status, body.title ?? response.statusText, body.detail ?? '', fields, retryAfter, body.code ?? null);
  } catch {
    return new Problem(response.status, response.statusText, '', [], retryAfter);
  }
}

type Method = 'GET' | 'POST' | 'DELETE';

async function send(
  method: Method,
  url: URL,
  body?: unknown,
  patience = TIMEOUT_MS,
  givenUp?: AbortSignal,
  again = true,
  cache: RequestCache = 'no-store',
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', ...more };
  const bearer = token();
  const { csrf } = credentials;
  if (bearer !== null) headers.Authorization = `Bearer ${bearer}`;
  else if (method !== 'GET' && csrf !== '') headers['AnShao-CSRF'] = csrf;
  // An act done here is input at this console's desk.
  if (method === 'POST' && /^[\w.-]+$/.test(desk.value)) headers['AnShao-Desk'] = desk.value;
  const late = AbortSignal.timeout(patience);
  const signal = givenUp === undefined ? late : AbortSignal.any([late, givenUp]);
  const init: RequestInit = { method, headers, cache, signal };
  if (body instanceof FormData) {
    init.body = body;
  } else if (body instanceof Blob) {
    headers['Content-Type'] = body.type;
    init.body = body;
  } else if (body !== undefined) {
    headers['Content-Type'] = 'application/json';
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    throw new Problem(0, 'no answer', error instanceof Error ? error.message : '');
  }
  if (!response.ok) {
    const problem = await problemOf(response);
    // A 401 with fields is about what was typed, such as a password.
    if (response.status === 401 && problem.fields.length === 0) {
      if (bearer !== null && token() === bearer) dropToken();
      // What was asked before somebody signed in anew says nothing of the new session.
      else if (bearer === null && credentials.csrf === csrf) credentials.refused();
    }
    if (problem.code === 'signature_needed') {
      const signed = await credentials.sign();
      if (signed === null) throw problem;
      return send(method, url, body, patience, givenUp, again, cache, { ...more, 'AnShao-Signature': signed });
    }
    const shown = headers['AnShao-CSRF'] !== undefined && problem.code === null;
    if (response.status === 403 && shown && again && (await credentials.renew())) {
      return send(method, url, body, patience, givenUp, false, cache, more);
    }
    throw problem;
  }
  return response;
}

/** An answer's JSON. */
async function read<Answer>(answer: Promise<Response>): Promise<Answer> {
  return parsed(await (await answer).text()) as Answer;
}

function request<Answer>(method: Method, url: URL, body?: unknown, patience?: number): Promise<Answer> {
  return read<Answer>(send(method, url, body, patience));
}

export function get<Answer>(path: string, query: Query = {}): Promise<Answer> {
  return request<Answer>('GET', apiUrl(path, query));
}

/** Of what seldom changes: the browser keeps it, and asks each time whether it still holds. */
export function getKept<Answer>(path: string): Promise<Answer> {
  return read<Answer>(send('GET', apiUrl(path), undefined, TIMEOUT_MS, undefined, true, 'no-cache'));
}

export function post<Answer>(path: string, body: unknown): Promise<Answer> {
  return request<Answer>('POST', apiUrl(path), body);
}

/** An act of two. `proof`: that the second person agrees; null: by a token, which names him in the body. */
export function postSeconded<Answer>(path: string, body: unknown, proof: string | null): Promise<Answer> {
  const more = proof === null ? {} : { 'AnShao-Second': proof };
  return read<Answer>(send('POST', apiUrl(path), body, TIMEOUT_MS, undefined, true, 'no-store', more));
}

export function remove<Answer>(path: string): Promise<Answer> {
  return request<Answer>('DELETE', apiUrl(path));
}

/** A question that takes the service a while, and that may be given up before it has answered. */
export function ask<Answer>(path: string, body: unknown, givenUp: AbortSignal): Promise<Answer> {
  return read<Answer>(send('POST', apiUrl(path), body, FILE_TIMEOUT_MS, givenUp));
}

/** A multipart form, such as a photo. */
export function upload<Answer>(path: string, form: FormData): Promise<Answer> {
  return request<Answer>('POST', apiUrl(path), form, FILE_TIMEOUT_MS);
}

/** A file as the body, with what is said of it in the query. */
export function postFile<Answer>(path: string, query: Query, file: Blob): Promise<Answer> {
  return request<Answer>('POST', apiUrl(path, query), file, FILE_TIMEOUT_MS);
}

/** A file as a `data:` address, which the browser keeps as long as it holds. */
export async function getData(path: string): Promise<string> {
  const answer = await send('GET', apiUrl(path), undefined, FILE_TIMEOUT_MS, undefined, true, 'no-cache');
  const blob = await answer.blob();
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => {
      resolve(typeof reader.result === 'string' ? reader.result : '');
    };
    reader.onerror = () => {
      reject(new Problem(0, 'no answer', reader.error?.message ?? ''));
    };
    reader.readAsDataURL(blob);
  });
}

/** A file, handed to the browser to be saved under a name. */
export async function download(path: string, name: string, query: Query = {}): Promise<void> {
  const blob = await (await send('GET', apiUrl(path, query), undefined, FILE_TIMEOUT_MS)).blob();
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
