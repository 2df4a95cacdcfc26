import { onScopeDispose, ref, type Ref } from 'vue';

/** True while the CSS media query matches. */
export function useMediaQuery(query: string): Ref<boolean> {
  const list = window.matchMedia(query);
  const matches = ref(list.matches);
  function update(): void {
    matches.value = list.matches;
  }
  list.addEventListener('change', update);
  onScopeDispose(() => {
    list.removeEventListener('change', update);
  });
  return matches;
}
