// The globals that every runtime shares and the pure rooms may use. Only tsconfig.core.json reads this file.
// Clocks and randomness are here for util/ and sign/ alone; ESLint keeps them out of model, wire and schedule.

declare class TextEncoder {
	encode(text?: string): Uint8Array<ArrayBuffer>;
	encodeInto(text: string, into: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
	constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
	decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { stream?: boolean }): string;
}

declare function setTimeout(run: () => void, delayMs?: number): number;
declare function clearTimeout(timer: number | undefined): void;
declare function setInterval(run: () => void, delayMs?: number): number;
declare function clearInterval(timer: number | undefined): void;
declare function queueMicrotask(run: () => void): void;
declare function structuredClone<T>(value: T): T;
declare function atob(text: string): string;
declare function btoa(text: string): string;
declare const performance: { now(): number; readonly timeOrigin: number };
declare const console: Record<'debug' | 'info' | 'warn' | 'error', (...args: unknown[]) => void>;

interface AbortSignal {
	readonly aborted: boolean;
	readonly reason: unknown;
	throwIfAborted(): void;
	addEventListener(type: 'abort', run: () => void, options?: { once?: boolean }): void;
	removeEventListener(type: 'abort', run: () => void): void;
}
declare class AbortController {
	readonly signal: AbortSignal;
	abort(reason?: unknown): void;
}

type BufferSource = ArrayBuffer | ArrayBufferView<ArrayBuffer>;
type KeyUsage =
	'decrypt' | 'deriveBits' | 'deriveKey' | 'encrypt' | 'sign' | 'unwrapKey' | 'verify' | 'wrapKey';
interface CryptoKey {
	readonly type: 'private' | 'public' | 'secret';
	readonly extractable: boolean;
	readonly algorithm: { readonly name: string };
	readonly usages: KeyUsage[];
}
interface CryptoKeyPair {
	publicKey: CryptoKey;
	privateKey: CryptoKey;
}
interface JsonWebKey {
	crv?: string;
	d?: string;
	ext?: boolean;
	key_ops?: string[];
	kty?: string;
	x?: string;
}
type KeyFormat = 'raw' | 'pkcs8' | 'spki';
type AlgorithmIdentifier = string | { name: string; [parameter: string]: unknown };
interface SubtleCrypto {
	digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer>;
	sign(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
	verify(
		algorithm: AlgorithmIdentifier,
		key: CryptoKey,
		signature: BufferSource,
		data: BufferSource,
	): Promise<boolean>;
	encrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
	decrypt(algorithm: AlgorithmIdentifier, key: CryptoKey, data: BufferSource): Promise<ArrayBuffer>;
	deriveBits(algorithm: AlgorithmIdentifier, key: CryptoKey, length: number): Promise<ArrayBuffer>;
	deriveKey(
		algorithm: AlgorithmIdentifier,
		key: CryptoKey,
		derived: AlgorithmIdentifier,
		extractable: boolean,
		usages: readonly KeyUsage[],
	): Promise<CryptoKey>;
	generateKey(
		algorithm: 'Ed25519' | { name: 'Ed25519' },
		extractable: boolean,
		usages: readonly ('sign' | 'verify')[],
	): Promise<CryptoKeyPair>;
	generateKey(
		algorithm: AlgorithmIdentifier,
		extractable: boolean,
		usages: readonly KeyUsage[],
	): Promise<CryptoKeyPair | CryptoKey>;
	importKey(
		format: 'jwk',
		data: JsonWebKey,
		algorithm: AlgorithmIdentifier,
		extractable: boolean,
		usages: readonly KeyUsage[],
	): Promise<CryptoKey>;
	importKey(
		format: KeyFormat,
		data: BufferSource,
		algorithm: AlgorithmIdentifier,
		extractable: boolean,
		usages: readonly KeyUsage[],
	): Promise<CryptoKey>;
	exportKey(format: 'jwk', key: CryptoKey): Promise<JsonWebKey>;
	exportKey(format: KeyFormat, key: CryptoKey): Promise<ArrayBuffer>;
}
interface Crypto {
	readonly subtle: SubtleCrypto;
	getRandomValues<T extends ArrayBufferView>(into: T): T;
	randomUUID(): string;
}
declare const crypto: Crypto;

declare class URL {
	constructor(url: string, base?: string | URL);
	readonly href: string;
	readonly origin: string;
	readonly protocol: string;
	readonly host: string;
	readonly hostname: string;
	readonly port: string;
	readonly pathname: string;
	readonly search: string;
	hash: string;
	toString(): string;
}
