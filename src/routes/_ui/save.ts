/** How long the browser may take to begin reading what it saves. */
const BEGIN_MS = 60_000;

/** Hands bytes to the browser's downloads under a name. */
export function save(blob: Blob, name: string): void {
	const link = document.createElement('a');
	link.href = URL.createObjectURL(blob);
	link.download = name;
	link.click();
	setTimeout(() => URL.revokeObjectURL(link.href), BEGIN_MS);
}
