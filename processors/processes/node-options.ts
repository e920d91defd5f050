/** How programs of TypeScript are run by Node. */

export const typescript = ['--import', '@oxc-node/core/register'] as const;

/** What one transaction allocates dies young: with the default 16 MB a sixth of the time went into collecting it. */
export const processorOptions = ['--max-semi-space-size=64', ...typescript] as const;
