"""The table k8s_persistent_volume: the disks of a cluster, where they may be and what becomes of them.

A volume tells its place by node affinity, which its driver sets; shared file systems (EFS, Azure Files, NFS) set
none, so their place is NULL here.
"""

from __future__ import annotations

from agent.model import Column, Json, Place, Table
from collectors.kubernetes._call import list_call
from collectors.kubernetes._places import volume_provider, volume_region, volume_zone

_LIST = list_call("", "v1", "persistentvolumes")


def _provider(volume: Json) -> str | None:
    return volume_provider(volume["spec"])


TABLE = Table(
    name="k8s_persistent_volume",
    source="kubernetes",
    scope="cluster",
    key="name",
    description="Persistent volumes of a cluster.",
    calls=(_LIST,),
    columns=(
        Column("name", "VARCHAR", "The volume's name.", _LIST.name, "metadata.name"),
        Column(
            "reclaim_policy",
            "VARCHAR",
            "What becomes of it when its claim is deleted: `Retain`, `Delete` or `Recycle`.",
            _LIST.name,
            "spec.persistentVolumeReclaimPolicy",
        ),
        Column(
            "phase",
            "VARCHAR",
            "`Pending`, `Available`, `Bound`, `Released` or `Failed`.",
            _LIST.name,
            "status.phase",
        ),
        Column("storage_class", "VARCHAR", "Its storage class, '' if none.", _LIST.name, "spec.storageClassName || ''"),
        Column("csi_driver", "VARCHAR", "Its CSI driver, '' if it has none.", _LIST.name, "spec.csi.driver || ''"),
        Column(
            "provider",
            "VARCHAR",
            "Whose driver it is, as in `law_place`; NULL if unknown.",
            _LIST.name,
            _provider,
        ),
        Column("zone", "VARCHAR", "The one zone that it can be in; NULL if not told.", _LIST.name, volume_zone),
        Column("region", "VARCHAR", "The one region that it can be in; NULL if not told.", _LIST.name, volume_region),
        Column(
            "capacity", "VARCHAR", "Its size as a Kubernetes quantity: `20Gi`.", _LIST.name, "spec.capacity.storage"
        ),
        Column(
            "claim_namespace",
            "VARCHAR",
            "Namespace of the claim it is bound to or kept for, '' if none.",
            _LIST.name,
            "spec.claimRef.namespace || ''",
        ),
        Column("claim_name", "VARCHAR", "Name of that claim, '' if none.", _LIST.name, "spec.claimRef.name || ''"),
    ),
    place=Place(columns=("zone", "region"), provider_column="provider"),
)
