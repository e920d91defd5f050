/** docker-compose.yml can only be read where there is no Docker engine: here it is held to what the native stack runs. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { workerProperties } from '../../deploy/native/connect.ts';
import { pinned } from '../support/pinned.ts';

type Service = {
  readonly image?: string;
  readonly build?: { readonly dockerfile: string };
  readonly healthcheck?: unknown;
  readonly secrets?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
};

const compose = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, { readonly file: string }>>;
};
const services = Object.entries(compose.services);

/** Properties without those that say where something is. */
function settings(properties: string): readonly string[] {
  const places =
    /^(bootstrap\.servers|listeners|rest\.advertised\.|plugin\.path|config\.providers\.dir\.param)/;
  return properties.split('\n').filter((line) => line !== '' && !places.test(line));
}

describe('docker-compose.yml', () => {
  it('runs the versions that the native stack runs', () => {
    const image = (name: string) => compose.services[name]?.image;
    expect(image('kafka')).toBe(`apache/kafka:${pinned('kafka.version')}`);
    expect(image('registry')).toBe(`apicurio/apicurio-registry:${pinned('apicurio.version')}`);
    expect(readFileSync('deploy/images/connect.Dockerfile', 'utf8')).toContain(
      `apache/kafka:${pinned('kafka.version')}`,
    );
  });

  it('runs Kafka Connect as the native stack does', () => {
    const native = workerProperties({
      ports: { kafka: 1, kafkaController: 2, registry: 3, connect: 4, postgres: 5, mariadb: 6 },
      jars: { kafka: '', plugins: '', registry: '' },
      secretsDirectory: '',
    });
    const image = readFileSync('deploy/config/connect.properties', 'utf8');
    expect(settings(image)).toEqual(settings(native));
  });

  it('checks the health of everything that stays, and starts each after what it needs', () => {
    const staying = services.filter(([name]) => name !== 'apply');
    const unchecked = staying.filter(
      ([, one]) =>
        one.healthcheck === undefined &&
        !/^HEALTHCHECK/m.test(
          one.build === undefined ? '' : readFileSync(one.build.dockerfile, 'utf8'),
        ),
    );
    expect(unchecked.map(([name]) => name)).toEqual([]);
    for (const [, one] of services) {
      for (const [needed, { condition }] of Object.entries(one.depends_on ?? {})) {
        expect(compose.services[needed]).toBeDefined();
        const ends = needed === 'apply';
        expect(condition).toBe(ends ? 'service_completed_successfully' : 'service_healthy');
      }
    }
  });

  it('holds no secret: each is a file that git ignores', () => {
    const ignored = readFileSync('.gitignore', 'utf8').split('\n');
    for (const { file } of Object.values(compose.secrets)) {
      expect(file).toMatch(/^\.\/deploy\/secrets\//);
    }
    expect(ignored).toContain('deploy/secrets/');
    const used = services.flatMap(([, one]) => one.secrets ?? []);
    expect(used.filter((name) => compose.secrets[name] === undefined)).toEqual([]);
    const plain = services.flatMap(([name, one]) =>
      Object.keys(one.environment ?? {})
        .filter((variable) => /PASSWORD(?!_+FILE)/.test(variable))
        .map((variable) => `${name}: ${variable}`),
    );
    expect(plain).toEqual([]);
  });

  it('puts everything that the processors import into their image', () => {
    const image = readFileSync('deploy/images/processors.Dockerfile', 'utf8');
    const copied = [...image.matchAll(/^COPY (\S+) \1$/gm)].map((match) => `${match[1]}/`);
    const imported = execFileSync('git', ['grep', '-hoE', "from '(\\.\\./)+[^']+'", 'processors'])
      .toString()
      .split('\n')
      .flatMap(
        (line) =>
          /(?:\.\.\/)+((?:connectors|dashboards|deploy|schemas)\/[^']+)/.exec(line)?.[1] ?? [],
      );
    expect(imported.filter((file) => file.startsWith('dashboards/')).length).toBeGreaterThan(0);
    expect(imported.filter((file) => !copied.some((folder) => file.startsWith(folder)))).toEqual(
      [],
    );
  });

  it('mounts only what is there', () => {
    const mounted = services
      .flatMap(([, one]) => one.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => source.startsWith('./'));
    expect(mounted.filter((source) => !existsSync(source))).toEqual([]);
  });
});
