/** A simulator that runs until it is killed; its options come as JSON. It says once when it has begun. */
import { openSimulator, type SimulatorOptions } from '../../connectors/simulator/simulator.ts';

const simulator = await openSimulator(JSON.parse(process.argv[2] ?? '{}') as SimulatorOptions);
await simulator.seedMasterData();
let commits = 0;
await simulator.run({
  onCommit: () => {
    commits += 1;
    if (commits === 1000) process.stdout.write('running\n');
  },
});
