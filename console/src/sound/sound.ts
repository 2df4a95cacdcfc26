/** The sound of this console: what is due by the live register, heard through the browser. */

import {
  computed,
  inject,
  onScopeDispose,
  provide,
  ref,
  shallowRef,
  watch,
  type ComputedRef,
  type InjectionKey,
  type Ref,
  type ShallowRef,
} from 'vue';

import { Problem } from '@/api/client';
import type { Silence } from '@/api/types';
import { useWords } from '@/i18n/words';
import type { LiveStore } from '@/live/store';
import { desk, language } from '@/preferences/preferences';
import { dueOf, subjectsOf, type Part, type Subject } from '@/sound/due';
import { AudioEngine, type Status } from '@/sound/engine';
import { Herald } from '@/sound/herald';
import { USUAL_VOLUME, patternOf, volumeOf, type Tone } from '@/sound/patterns';
import { silences as fetchSilences } from '@/sound/requests';
import { useSayings } from '@/sound/sayings';
import { followed, inForce } from '@/sound/silences';
import { Sounder } from '@/sound/sounder';
import { Speech } from '@/sound/speech';

const VOLUME_KEY = 'anshao.volume';
const RELOAD_MS = 3_000;
const MEASURE_MS = 60;
/** Longer than any pattern. */
const MEASURED_MS = 2_500;

export interface Sound {
  status: ShallowRef<Status>;
  /** Share of the full volume; this browser remembers it. */
  volume: Ref<number>;
  /** Silences of all desks that are in force. */
  silences: ComputedRef<readonly Silence[]>;
  /** What sounds, gravest first. */
  subjects: ComputedRef<readonly Subject[]>;
  parts: ComputedRef<readonly Part[]>;
  /** The console knows nothing of the present: that sounds too. */
  lost: ComputedRef<boolean>;
  /** A voice for the console's language is there. */
  voiced: ShallowRef<boolean>;
  /** How often each tone was played, and how loud the last came out of the browser's mixer. */
  played: ShallowRef<Readonly<Record<string, number>>>;
  level: Ref<number>;
  said: Ref<string>;
  /** To be called within a click. */
  unlock: () => Promise<void>;
  test: (tone: Tone) => Promise<void>;
  testVoice: () => Promise<void>;
  /** Takes over an answer of the API, which may be ahead of the live connection. */
  take: (silence: Silence) => void;
}

const SOUND: InjectionKey<Sound> = Symbol('sound');

export function useSound(): Sound {
  const sound = inject(SOUND);
  if (sound === undefined) throw new Error('no sound was provided');
  return sound;
}

/** The silences, loaded when entries may have been missed, and followed by entries. */
function useSilences(live: LiveStore): ShallowRef<readonly Silence[]> {
  const known = shallowRef<readonly Silence[]>([]);
  let loads = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(): Promise<void> {
    clearTimeout(timer);
    loads += 1;
    const mine = loads;
    try {
      const found = await fetchSilences();
      if (mine === loads) known.value = found;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      // Meanwhile what is not known to be silenced sounds.
      const passes = error.status === 0 || error.status >= 500;
      if (mine === loads && passes) timer = setTimeout(() => void load(), RELOAD_MS);
    }
  }

  live.onEntry((entry) => {
    if (entry === null) void load();
    else if (entry.kind.startsWith('sound.')) {
      known.value = followed(known.value, entry);
      void load();
    }
  });
  onScopeDispose(() => {
    loads += 1;
    clearTimeout(timer);
  });
  return known;
}

export function provideSound(live: LiveStore): Sound {
  const status = shallowRef<Status>('starting');
  const volume = ref(volumeOf(Number(localStorage.getItem(VOLUME_KEY) ?? USUAL_VOLUME)));
  const voiced = shallowRef(false);
  const played = shallowRef<Readonly<Record<string, number>>>({});
  const level = ref(0);
  const said = ref('');
  const known = useSilences(live);
  const sayings = useSayings(useWords());
  const herald = new Herald();
  let measuring: ReturnType<typeof setInterval> | undefined;

  const engine = new AudioEngine((now) => {
    const before = status.value;
    status.value = now;
    if (now === 'on' && before !== 'on') sounder.restart();
  });
  const speech = new Speech(() => {
    voiced.value = speech.voice(language.value) !== null;
  });

  const silences = computed<readonly Silence[]>((before) => {
    const now = inForce(known.value, live.clock.tick.value);
    // The clock ticks each second; what hangs on it is worked out anew only when one is over.
    return before?.length === now.length && now.every((each, index) => each === before[index]) ? before : now;
  });
  const subjects = computed(() => subjectsOf(live.register.value, silences.value, desk.value));
  const lost = computed(() => live.current.value === 'lost' || live.loadFailure.value !== null);
  const due = computed(() => dueOf(subjects.value, lost.value));
  const parts = computed(() => due.value.parts);

  function count(tone: Tone): void {
    if (status.value !== 'on') return;
    played.value = { ...played.value, [tone]: (played.value[tone] ?? 0) + 1 };
    clearInterval(measuring);
    level.value = 0;
    const until = performance.now() + MEASURED_MS;
    measuring = setInterval(() => {
      level.value = Math.max(level.value, engine.level());
      if (performance.now() > until) clearInterval(measuring);
    }, MEASURE_MS);
  }

  const sounder = new Sounder({
    play(pattern, { tone }) {
      engine.play(pattern);
      count(tone);
    },
    hush() {
      engine.silence();
      speech.hush();
      clearInterval(measuring);
    },
    async say() {
      clearInterval(measuring);
      const subject = lost.value ? null : herald.next(subjects.value, performance.now());
      if (subject === null || status.value !== 'on') return false;
      const text = sayings.of(subject);
      said.value = text;
      const done = await speech.say(text, language.value, volume.value);
      if (done) herald.note(subject, performance.now());
      return done;
    },
    now: () => performance.now(),
  });

  // After the page has been drawn: who hears it sees why.
  watch(
    due,
    (now) => {
      sounder.update(now);
    },
    { flush: 'post', immediate: true },
  );
  watch(
    volume,
    (chosen) => {
      volume.value = volumeOf(chosen);
      engine.setVolume(volume.value);
      localStorage.setItem(VOLUME_KEY, String(volume.value));
    },
    { immediate: true },
  );
  watch(
    language,
    (now) => {
      voiced.value = speech.voice(now) !== null;
    },
    { immediate: true },
  );

  async function unlock(): Promise<void> {
    if (status.value !== 'on' && status.value !== 'missing') await engine.unlock();
  }

  // Any click or key is one that the browser waits for. Not before the click: what it was meant for would move away.
  function touched(): void {
    if (navigator.userActivation.isActive) void unlock();
  }
  window.addEventListener('click', touched);
  window.addEventListener('keyup', touched);
  void engine.probe();
  onScopeDispose(() => {
    window.removeEventListener('click', touched);
    window.removeEventListener('keyup', touched);
    clearInterval(measuring);
    sounder.stop();
    speech.close();
    engine.close();
  });

  const sound: Sound = {
    status,
    volume,
    silences,
    subjects,
    parts,
    lost,
    voiced,
    played,
    level,
    said,
    unlock,
    async test(tone) {
      await unlock();
      engine.play(patternOf(tone));
      count(tone);
    },
    async testVoice() {
      await unlock();
      await speech.say(sayings.test(), language.value, volume.value);
    },
    take(silence) {
      known.value = [...known.value.filter((each) => each.id !== silence.id), ...(silence.ended_at === null ? [silence] : [])];
    },
  };
  provide(SOUND, sound);
  return sound;
}
