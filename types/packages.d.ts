// Packages that bring no types and that tests compare with.
declare module 'bittorrent-protocol';
