/** The API token, kept for as long as the tab is open. It is sent to this page's own server and nowhere else. */

const KEY = 'ringway.token';

/** @returns {string} empty when there is none */
export function token() {
  return sessionStorage.getItem(KEY) ?? '';
}

/** @param {string} value */
export function setToken(value) {
  const trimmed = value.trim();
  if (trimmed) sessionStorage.setItem(KEY, trimmed);
  else sessionStorage.removeItem(KEY);
}

/**
 * Asks this page's server, with the token if there is one.
 * @param {string | URL} path
 * @param {RequestInit} [options]
 */
export function ask(path, options = {}) {
  const headers = token() ? { Authorization: `Bearer ${token()}` } : {};
  return fetch(new URL(path, location.href), { ...options, headers });
}
