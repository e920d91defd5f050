/**
 * `fast` needs nothing but Node; `real` runs on one native stack that is started once; `chaos` starts a Kafka of its own
 * and depends on timings, so it runs only when it is asked for.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.real.test.ts', 'test/**/*.chaos.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
        // As Node resolves it: mercurius and we have to share one.
        resolve: { alias: { graphql: fileURLToPath(import.meta.resolve('graphql')) } },
      },
      {
        test: {
          name: 'real',
          include: ['test/**/*.real.test.ts'],
          globalSetup: ['test/support/stack.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'chaos',
          include: ['test/**/*.chaos.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
