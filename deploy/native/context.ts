/** What every part of the stack needs to know to start. */
import type { ProxiedListener } from './kafka.ts';
import type { Jars, Report } from './packages.ts';
import type { Ports } from './ports.ts';

export type StackContext = {
  readonly directory: string;
  readonly secretsDirectory: string;
  readonly cache: string;
  readonly ports: Ports;
  readonly proxied: ProxiedListener | undefined;
  readonly jars: Jars;
  readonly adminPassword: string;
  /** The path of a Java that all JVM parts run on. */
  readonly java: () => Promise<string>;
  /** Ends within minutes: what runs in a JVM is compiled quickly rather than well. */
  readonly isBrief: boolean;
  /** JVM arguments that send the part's log to its standard output. */
  readonly javaLogging: () => readonly string[];
  readonly report: Report;
  readonly signal: AbortSignal | undefined;
};
