/** An answer that is kept up to date by what the journal tells. */

import { useLoaded, type Loaded } from '@/api/loading';
import type { Entry } from '@/api/types';
import { useLive } from '@/live/store';

/** Loaded at once, after every entry that concerns it, and whenever entries may have been missed. */
export function useFollowed<Data>(request: () => Promise<Data>, concerns: (entry: Entry) => boolean): Loaded<Data> {
  const loaded = useLoaded(request);
  void loaded.load();
  useLive().onEntry((entry) => {
    if (entry === null || concerns(entry)) loaded.refresh();
  });
  return loaded;
}
