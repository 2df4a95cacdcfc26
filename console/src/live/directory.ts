/** Names of regions, enterprises and units, for lists of the API that carry only their ids. */

import { shallowRef } from 'vue';

import { Problem } from '@/api/client';
import { places } from '@/api/endpoints';
import type { Places } from '@/api/types';

/** Apart from the ids of enterprises, which have no colon. */
const REGION = 'region:';

export class Directory {
  private readonly names = shallowRef(new Map<string, string>());

  /** Without an answer ids are shown until the next time. */
  async load(): Promise<void> {
    try {
      this.fill(await places());
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }

  private fill({ items, regions }: Places): void {
    const names = new Map<string, string>();
    for (const region of regions) names.set(`${REGION}${region.code}`, region.name);
    for (const enterprise of items) {
      names.set(enterprise.id, enterprise.name);
      for (const unit of enterprise.units) names.set(`${enterprise.id}/${unit.id}`, unit.name);
    }
    this.names.value = names;
  }

  /** Name of a region; its code where it has none here. */
  region(code: string): string {
    return this.names.value.get(`${REGION}${code}`) ?? code;
  }

  /** Name of an enterprise; its id where it has none here. */
  enterprise(id: string): string {
    return this.names.value.get(id) ?? id;
  }

  /** Name of a unit; its id where it has none here. */
  unit(enterprise: string, id: string): string {
    return this.names.value.get(`${enterprise}/${id}`) ?? id;
  }
}
