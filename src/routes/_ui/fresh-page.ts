/** A page that the browser brings back from its cache has left the swarm when it went: it begins again. */
export function reloadWhenBroughtBack(): void {
	addEventListener('pageshow', ({ persisted }) => {
		if (persisted) location.reload();
	});
}
