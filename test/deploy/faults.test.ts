/** What a person reads when the machine is not as it should be. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, describe, expect, it } from 'vitest';
import { java } from '../../deploy/native/packages.ts';
import { choosePorts } from '../../deploy/native/ports.ts';
import { endOf } from '../../deploy/native/process.ts';
import { spaceFault, startStack } from '../../deploy/native/stack.ts';

const folder = mkdtempSync(`${tmpdir()}/stockline-faults-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('a sentence that helps', () => {
  it('names the port in use, who to ask what listens there, and the variable to change', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen({ port: 0, host: '127.0.0.1' }, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const chosen = choosePorts(`${folder}/ports.json`, { STOCKLINE_KAFKA_PORT: String(port) });
    await expect(chosen).rejects.toThrow(
      new RegExp(`port ${port} for kafka is in use.*ss -ltnp.*STOCKLINE_KAFKA_PORT`),
    );
    server.close();
  });

  it('refuses what is no port', async () => {
    const chosen = choosePorts(`${folder}/ports.json`, { STOCKLINE_CONNECT_PORT: '70000' });
    await expect(chosen).rejects.toThrow('STOCKLINE_CONNECT_PORT=70000 is not a port');
  });

  it.each(['my clone', 'Läden'])(
    'says where a clone cannot be, before it installs anything: %s',
    (name) => {
      const clone = `${folder}/${name}`;
      cpSync('deploy', `${clone}/deploy`, { recursive: true });
      cpSync('package-lock.json', `${clone}/package-lock.json`);
      const start = spawnSync(process.execPath, [`${clone}/deploy/bootstrap.mjs`, 'start']);
      expect(start.status).toBe(1);
      expect(String(start.stderr)).toContain(
        `without spaces, or packages do not build: move it out of ${clone}`,
      );
      expect(existsSync(`${clone}/node_modules`)).toBe(false);
    },
  );

  it('says which folder the stack cannot lie in', async () => {
    const chosen = startStack({ directory: `${folder}/Läden`, parts: [], report: () => undefined });
    await expect(chosen).rejects.toThrow(/letters beyond ASCII.*--directory/);
  });

  it('names the Java that is missing and how to have one', async () => {
    process.env.PIP_NO_INDEX = '1';
    try {
      await expect(java(99, folder, () => undefined)).rejects.toThrow(
        /Java 99 or later is missing\. Install one .*JAVA_HOME/,
      );
    } finally {
      delete process.env.PIP_NO_INDEX;
    }
  });

  it('says how much room there is and is needed before anything is started', () => {
    expect(spaceFault(50 * 1024 ** 2, '/data')).toMatch(
      /^only 50 MB are free where \/data lies, and 2 GB are needed: free some space, .*--directory/,
    );
    expect(spaceFault(3 * 1024 ** 3, '/data')).toBeUndefined();
  });

  it('says that the disk is full when a part died of it', () => {
    writeFileSync(`${folder}/kafka.log`, 'java.io.IOException: No space left on device\n');
    expect(endOf(`${folder}/kafka.log`)).toMatch(/The disk is full: free some space/);
  });

  it('says what to do with data that a newer version has made', () => {
    const died = "Caused by: UnsupportedVersionException: Can't read version 4 of BrokerEndpoint";
    writeFileSync(`${folder}/kafka.log`, `starting\n${died}\n`);
    expect(endOf(`${folder}/kafka.log`)).toMatch(/begin with another --directory/);
  });
});
