export { type CallCredentialsOptions, createCallCredentials } from './create-call-credentials'
export { createGrpcOptions, type GrpcOptions } from './create-grpc-options'
