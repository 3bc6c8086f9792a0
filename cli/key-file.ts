import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ChannelKeys, SignStorage, StoredPlace } from '../src/lib/node.ts';
import { fromBase64Url, keysOfPair, toBase64Url } from '../src/lib/node.ts';
import { CliError, EXIT } from './cli-error.ts';

/**
 * A channel on disk. The key file holds the private key and may be copied away as a backup; `<key file>.place` beside it
 * says how far the channel has been used and must not be taken back, or viewers refuse what comes next.
 */
export interface ChannelFile {
	readonly path: string;
	readonly keys: ChannelKeys;
	readonly storage: SignStorage;
	/** Lets go of the channel; idempotent. */
	release(): Promise<void>;
}

interface StoredKey {
	readonly type: 'shoal-channel-key';
	/** The peer link's id, for people to tell files apart. */
	readonly channel: string;
	readonly publicKey: string;
	/** PKCS #8, base64url. */
	readonly privateKey: string;
}

/** No key file is larger. */
export const MAX_KEY_FILE_BYTES = 4096;

/** Where the channel's key is when nobody says otherwise. */
export function defaultKeyFile(): string {
	const home = process.env.XDG_CONFIG_HOME ?? join(homedir(), '.config');
	return join(home, 'shoal', 'channel.key');
}

/** Opens a channel to broadcast on it, making its key on first use. Rejects while another process does. */
export async function openChannelFile(path: string): Promise<ChannelFile> {
	const keys = await loadOrMakeKey(path);
	const release = await hold(`${path}.lock`, path);
	return { path, keys, storage: placeStorage(`${path}.place`), release };
}

/** The channel of a key file; throws when there is none. */
export async function readKeyFile(path: string): Promise<ChannelKeys> {
	return parseKey(await readBounded(path), path);
}

/** The contents of a key file, for a backup. */
export async function backupKey(path: string): Promise<string> {
	const text = await readBounded(path);
	await parseKey(text, path);
	return text;
}

/** Puts a backup in place; never over another channel unless told to. */
export async function restoreKey(text: string, path: string, force: boolean): Promise<ChannelKeys> {
	const keys = await parseKey(text, 'the backup');
	if (!force && (await exists(path))) {
		const present = await readKeyFile(path);
		if (present.channel.id === keys.channel.id) return keys;
		throw new CliError(
			EXIT.input,
			`${path} holds the key of another channel. Back it up first ("shoal key backup"), then restore with --force`,
		);
	}
	await writeKey(path, text, 'w');
	return keys;
}

async function loadOrMakeKey(path: string): Promise<ChannelKeys> {
	if (await exists(path)) return readKeyFile(path);
	const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
	const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
	const privateKey = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
	const stored: StoredKey = {
		type: 'shoal-channel-key',
		channel: toBase64Url(publicKey),
		publicKey: toBase64Url(publicKey),
		privateKey: toBase64Url(privateKey),
	};
	try {
		await writeKey(path, `${JSON.stringify(stored, undefined, 2)}\n`, 'wx');
	} catch (error) {
		// Another process made one in the same moment: its channel is the one.
		if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
	}
	return readKeyFile(path);
}

async function writeKey(path: string, text: string, flag: 'w' | 'wx'): Promise<void> {
	await mkdir(dirname(path), { recursive: true, mode: 0o700 });
	await writeFile(path, text, { flag, mode: 0o600 });
	await chmod(path, 0o600); // a file that was there keeps its mode otherwise
}

async function readBounded(path: string): Promise<string> {
	const { size } = await stat(path);
	if (size > MAX_KEY_FILE_BYTES) throw new CliError(EXIT.input, `${path} is not a key file`);
	return readFile(path, 'utf8');
}

async function parseKey(text: string, name: string): Promise<ChannelKeys> {
	try {
		const stored = JSON.parse(text) as Partial<StoredKey>;
		const publicKey = fromBase64Url(stored.publicKey ?? '');
		const privateKey = fromBase64Url(stored.privateKey ?? '');
		if (stored.type !== 'shoal-channel-key' || !publicKey || !privateKey) throw new Error('fields');
		const keys = await keysOfPair({
			publicKey: await crypto.subtle.importKey('raw', publicKey, 'Ed25519', true, ['verify']),
			privateKey: await crypto.subtle.importKey('pkcs8', privateKey, 'Ed25519', false, ['sign']),
		});
		const probe = new Uint8Array([1]);
		const verifier = await crypto.subtle.importKey('raw', publicKey, 'Ed25519', true, ['verify']);
		const signature = new Uint8Array(await keys.sign(probe));
		if (!(await crypto.subtle.verify('Ed25519', verifier, signature, probe))) {
			throw new Error('the halves do not belong together');
		}
		return keys;
	} catch (cause) {
		throw new CliError(EXIT.input, `${name} is not a key file, or it is damaged`, { cause });
	}
}

function placeStorage(path: string): SignStorage {
	return {
		loadPair: () => Promise.reject(new Error('the pair lies in the key file')),
		async loadPlace(channelId) {
			if (!(await exists(path))) return undefined;
			const stored = JSON.parse(await readBounded(path)) as StoredPlace & { channel: string };
			const whole = Number.isSafeInteger(stored.epoch) && Number.isSafeInteger(stored.nextPiece);
			if (!whole) throw new CliError(EXIT.input, `${path} is damaged`);
			return stored.channel === channelId ? stored : undefined;
		},
		async savePlace(channelId, place) {
			// Whole or not at all, and on the disk before anything is published beyond it.
			const next = `${path}.new`;
			const file = await open(next, 'w', 0o600);
			await file.writeFile(JSON.stringify({ channel: channelId, ...place }));
			await file.sync();
			await file.close();
			await rename(next, path);
		},
	};
}

/** Takes the channel's lock file, over one that a dead process left. */
async function hold(lock: string, path: string): Promise<() => Promise<void>> {
	for (let tries = 0; ; tries++) {
		try {
			await writeFile(lock, String(process.pid), { flag: 'wx' });
			break;
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
			const pid = Number(await readFile(lock, 'utf8').catch(() => '0'));
			if (tries > 3 || (pid > 0 && isRunning(pid))) {
				throw new CliError(
					EXIT.failed,
					`Process ${pid} is broadcasting on the channel of ${path} already; another --key makes another channel`,
					{ cause: error },
				);
			}
			await rm(lock, { force: true });
		}
	}
	let held = true;
	return async () => {
		if (!held) return;
		held = false;
		await rm(lock, { force: true });
	};
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

async function exists(path: string): Promise<boolean> {
	return stat(path).then(
		() => true,
		() => false,
	);
}
