/** How many clients each library has for rounds of the fleet benchmark. */
export const FLEET_CLIENTS = 12

/** The id of the client of one round. */
export function fleetClientId(library: string, number: number): string {
  return `${library} ${number}`
}
