/**
 * Stands in for `utp-native` in what is built: the engine doesn't use uTP, and webtorrent complains at length where that
 * native module is missing, as it is wherever `shoal` is installed.
 * @module
 */
export {};
