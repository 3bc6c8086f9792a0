import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

const PROGRAM = join(import.meta.dirname, '../../dist/node/cli.js');
/** Longest wait for what must come, milliseconds; a busy machine takes its time. */
const PATIENCE_MS = 60_000;

/** A running `shoal` command, as a shell runs it. */
export interface Shoal {
	readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
	/** Everything on stdout so far. */
	readonly stdout: string;
	/** Everything on stderr so far. */
	readonly stderr: string;
	/** Bytes of stdout. */
	bytes(): Buffer;
	/** Waits for a text on stdout or stderr; rejects with all that was said when the command ends without it. */
	says(pattern: RegExp): Promise<RegExpExecArray>;
	/** Resolves with the exit code; a signal counts as −1. */
	readonly exit: Promise<number>;
	/** Ctrl-C; resolves with the exit code, which is 130 when it had to be cut short: after 1.8 s. */
	interrupt(): Promise<number>;
}

const running = new Set<Shoal>();
let home: string | undefined;

/** An empty folder that goes away with the tests of a file; keys and what is fetched go there. */
export function tidyFolder(): string {
	home ??= mkdtempSync(join(tmpdir(), 'shoal-cli-'));
	return mkdtempSync(join(home, 'x'));
}

/** Ends what still runs and removes its folders; for the end of a test file. */
export async function tidyUp(): Promise<void> {
	for (const { child } of running) child.kill('SIGKILL');
	await Promise.all([...running].map(({ exit }) => exit));
	if (home) rmSync(home, { recursive: true, force: true });
	home = undefined;
}

/** Starts a command; keys lie in `cwd` unless the arguments say otherwise. */
export function shoal(
	args: readonly string[],
	{ cwd = tidyFolder(), env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): Shoal {
	const child = spawn(process.execPath, [PROGRAM, ...args], {
		cwd,
		env: { ...process.env, XDG_CONFIG_HOME: cwd, ...env },
		stdio: ['pipe', 'pipe', 'pipe'],
	});
	const out: Buffer[] = [];
	let stderr = '';
	const listeners = new Set<() => void>();
	const tell = () => {
		for (const listener of listeners) listener();
	};
	child.stdout.on('data', (bytes: Buffer) => {
		out.push(bytes);
		tell();
	});
	child.stderr.on('data', (bytes: Buffer) => {
		stderr += bytes.toString();
		tell();
	});
	child.stdin.on('error', () => undefined);
	let ended = false;
	const exit = new Promise<number>((resolve) => {
		child.on('close', (code) => {
			ended = true;
			running.delete(command);
			tell();
			resolve(code ?? -1);
		});
	});
	const command: Shoal = {
		child,
		get stdout() {
			return Buffer.concat(out).toString();
		},
		get stderr() {
			return stderr;
		},
		bytes: () => Buffer.concat(out),
		exit,
		says: (pattern) =>
			new Promise((resolve, reject) => {
				const fail = (why: string) => {
					finish();
					reject(
						new Error(`${why}, without ${pattern}:\n${command.stdout.slice(-4000)}\n${stderr}`),
					);
				};
				const timer = setTimeout(() => fail('It went on'), PATIENCE_MS);
				const look = () => {
					const found = pattern.exec(stderr) ?? pattern.exec(command.stdout);
					if (!found) return ended ? fail('It ended') : undefined;
					finish();
					resolve(found);
				};
				const finish = () => {
					clearTimeout(timer);
					listeners.delete(look);
				};
				listeners.add(look);
				look();
			}),
		interrupt() {
			child.kill('SIGINT');
			return exit;
		},
	};
	running.add(command);
	return command;
}

/** Runs a command to its end. */
export async function run(
	args: readonly string[],
	options: { cwd?: string; env?: Record<string, string>; input?: string | Uint8Array } = {},
): Promise<{ code: number; stdout: string; stderr: string; bytes: Buffer }> {
	const { input, ...rest } = options;
	const command = shoal(args, rest);
	command.child.stdin.end(input);
	const code = await command.exit;
	return { code, stdout: command.stdout, stderr: command.stderr, bytes: command.bytes() };
}
