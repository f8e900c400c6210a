/** How long a loop may keep its thread. */
const TURN_MS = 8;

let since = performance.now();

/**
 * Lets what else waits on this thread go on, if nothing did for a while: between the rounds of a loop
 * that a request can make long.
 */
export async function giveWay(): Promise<void> {
  if (performance.now() - since < TURN_MS) return;
  await new Promise<void>((resolve) => {
    setImmediate(resolve);
  });
  since = performance.now();
}
