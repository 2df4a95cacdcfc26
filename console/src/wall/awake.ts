/** Keeps the screen from sleeping as long as the page is in sight, where the browser can. */

import { onScopeDispose, ref, type Ref } from 'vue';

/** False: it may sleep. */
export function useWakeLock(): Ref<boolean> {
  const awake = ref(true);
  let lock: WakeLockSentinel | null = null;
  let gone = false;

  async function hold(): Promise<void> {
    if (gone || document.visibilityState !== 'visible') return;
    // Only pages of a secure origin have it.
    const { wakeLock } = navigator as { wakeLock?: WakeLock };
    try {
      lock = (await wakeLock?.request('screen')) ?? null;
      awake.value = lock !== null;
    } catch (error) {
      // Refused, as with a low battery.
      if (!(error instanceof DOMException)) throw error;
      awake.value = false;
    }
  }

  // The browser lets go of it whenever the page is hidden.
  function look(): void {
    void hold();
  }
  document.addEventListener('visibilitychange', look);
  void hold();
  onScopeDispose(() => {
    gone = true;
    document.removeEventListener('visibilitychange', look);
    void lock?.release();
  });
  return awake;
}
