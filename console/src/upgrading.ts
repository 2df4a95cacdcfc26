/** A service that was upgraded has files of other names: pages that were not loaded before cannot be found any more. */

/** Whether the service has another console than the one whose script is `entry`; an absent service has none. */
export async function isUpgraded(entry: string): Promise<boolean> {
  try {
    const answer = await fetch('./', { cache: 'no-store' });
    return answer.ok && !(await answer.text()).includes(entry);
  } catch (error) {
    if (error instanceof TypeError) return false; // no answer
    throw error;
  }
}
