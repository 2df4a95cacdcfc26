/** Requests about site plans. */

import { get, getData, post, postFile } from '@/api/client';
import type { Signature, SitePlan } from '@/api/types';
import type { Changes } from '@/siteplan/arranging';

export async function sitePlans(enterprise: string): Promise<SitePlan[]> {
  return (await get<{ items: SitePlan[] }>('site-plans', { enterprise })).items;
}

/** The image as a `data:` address: the policy of the page takes images from nowhere else, and a link carries no token. */
export function imageOf(plan: number): Promise<string> {
  return getData(`site-plans/${plan}/image`);
}

export interface NewPlan {
  enterprise: string;
  unit: string | null;
  title: string;
  file: File;
}

export function addSitePlan({ file, ...about }: NewPlan, signature: Signature): Promise<SitePlan> {
  return postFile('site-plans', { ...about, ...signature }, file);
}

export function renameSitePlan(id: number, title: string, signature: Signature): Promise<SitePlan> {
  return post(`site-plans/${id}/rename`, { title, ...signature });
}

export function removeSitePlan(id: number, signature: Signature): Promise<unknown> {
  return post(`site-plans/${id}/remove`, signature);
}

export function placeTags({ id, version }: SitePlan, changes: Changes, signature: Signature): Promise<SitePlan> {
  return post(`site-plans/${id}/tags`, { version, ...changes, ...signature });
}
