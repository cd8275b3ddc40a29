import axios, { type AxiosRequestTransformer, type InternalAxiosRequestConfig } from 'axios'

type Transform = InternalAxiosRequestConfig['transformRequest']

/** The property of a transformation of ours that has the one which the config had before, if any. */
const GUARDED = Symbol('guarded')

type Guard = AxiosRequestTransformer & { [GUARDED]: AxiosRequestTransformer | undefined }

/** The one that axios brings along. */
const [ofAxios] = [axios.defaults.transformRequest].flat()

/** Whether the transformation of a config is that of axios, which neither changes the config nor keeps it. */
export function isAxiosOwn(transform: Transform): boolean {
  return ofAxios !== undefined && Array.isArray(transform) && transform.length === 1 && transform[0] === ofAxios
}

/** `transformRequest` with `guard` at its end, in place of a guard that it had before. */
export function guarded(
  transform: Transform,
  guard: (config: InternalAxiosRequestConfig) => void,
): AxiosRequestTransformer[] {
  const all = Array.isArray(transform) ? transform.map(unguarded) : [unguarded(transform ?? undefined)]
  const others = all.filter((each) => each !== undefined)
  const last = others.pop()
  // One function with the last one: axios normalizes all headers before each.
  const guardedLast = function transformAndGuard(this: InternalAxiosRequestConfig, ...args) {
    const data = last ? last.apply(this, args) : args[0]
    guard(this)
    return data
  } as Guard
  guardedLast[GUARDED] = last
  others.push(guardedLast)
  return others
}

function unguarded(transform: AxiosRequestTransformer | undefined): AxiosRequestTransformer | undefined {
  return transform !== undefined && GUARDED in transform ? (transform as Guard)[GUARDED] : transform
}
