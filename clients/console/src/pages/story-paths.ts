/**
 * Addresses of families, here and in the API.
 *
 * @module
 */
export const familyPath = (family: string): string => `/stories?family=${encodeURIComponent(family)}`;

export const familyApi = (family: string, rest = ''): string => `/families/${encodeURIComponent(family)}${rest}`;
