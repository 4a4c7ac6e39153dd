/**
 * The Region of an Availability Zone, a Local Zone or a Wavelength Zone.
 *
 * @module
 */

/** `us-east-1a` and `us-west-2-lax-1a`, `us-east-1-wl1-bos-wlz-1` alike. */
export const regionOfZone = (zone: string): string => /^[a-z]{2}(?:-[a-z]+)+-\d+/.exec(zone)?.[0] ?? zone;
