"""The mill: pages in, corpora, models and reports out.

A plain library of Arrow tables and files. It knows nothing of Scrapy or Dagster, and importing it
pulls in neither torch nor transformers: a spider that wants the schemas should not pay for them.
"""

import os

# OpenMP's threads spin while they wait, which on a CPU that others use too slows a training to a
# sixth (measured on two cores: 739 against 5,036 tokens/s). Read once, when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
