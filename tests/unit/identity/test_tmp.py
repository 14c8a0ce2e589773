import time
def test_one(world):
    op = world.operator()
    print(op)
    adm = world.platform_admin()
    print(world.pending_events())
    t=time.perf_counter()
    from tests import world as w
    x = w.build(); print("build ms", (time.perf_counter()-t)*1000, len(w.table_definitions())); x.close()
