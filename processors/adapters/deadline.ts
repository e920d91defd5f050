/** What `work` comes to; when it takes longer than `ms`, what `late` returns or throws. A timer alone: it runs for each call. */
export function within<T>(ms: number, work: Promise<T>, late: () => T): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = setTimeout(() => {
      try {
        resolve(late());
      } catch (error) {
        reject(error);
      }
    }, ms);
    work.then(resolve, reject).finally(() => clearTimeout(giveUp));
  });
}
