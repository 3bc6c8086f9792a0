// Small choices that outlast a visit. Storage may be missing, full or forbidden (a sandboxed
// frame throws on the very word), so every access is guarded and a page works without.

/** What was kept under `name`, or undefined where there is nothing or no storage. */
export function recall(name: string): string | undefined {
	try {
		return globalThis.localStorage.getItem(`shoal.${name}`) ?? undefined;
	} catch {
		return undefined;
	}
}

/** Keeps a choice for the next visit, where the browser lets it. */
export function keep(name: string, value: string): void {
	try {
		globalThis.localStorage.setItem(`shoal.${name}`, value);
	} catch {
		// The choice lasts as long as the page.
	}
}
