export { snapshotParameters } from '../../snapshot-parameters'
