"""The depot: where audio and personal models lie, beneath Django's storage interface.

`address` says where it is, `disk` and `objects` keep files in a folder and in a bucket, `sealing`
and `keys` encrypt them, `sealed` puts that beneath the interface. `infants.storage` is what the
rest of the project speaks to.
"""
