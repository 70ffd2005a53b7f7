"""A chart on a slide: native and editable, with its rows in the workbook behind it."""

from __future__ import annotations

from pptx.chart.data import XyChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.shapes.graphfrm import GraphicFrame
from pptx.slide import Slide
from pptx.util import Emu

from roi.charts.drawingml.chart import chart
from roi.charts.drawingml.elements import EMU_A_POINT, legible
from roi.charts.drawingml.workbook import workbook
from roi.charts.spec import ChartSpec

_EXTERNAL = "{http://schemas.openxmlformats.org/drawingml/2006/chart}externalData"


def add_chart(slide: Slide, spec: ChartSpec, left: int, top: int, width: int, height: int, name: str) -> GraphicFrame:
    """Put a chart on a slide.

    Parameters
    ----------
    slide
        Of python-pptx.
    spec
        The chart; its title, subtitle and footnote are left to the slide.
    left, top, width, height
        Its place, in EMU.
    name
        Of the shape, as PowerPoint's selection pane shows it.
    """
    # python-pptx makes the parts and their relations from any data; drawing and workbook are then put in their place.
    empty = XyChartData()
    empty.add_series("").add_data_point(0, 0)
    frame = slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, Emu(left), Emu(top), Emu(width), Emu(height), empty)
    drawn = chart(spec, width / EMU_A_POINT, height / EMU_A_POINT)
    space = frame.chart.element
    kept = space.find(_EXTERNAL)
    space[:] = [*drawn.content, kept]
    frame.chart.part.chart_workbook.update_from_xlsx_blob(workbook(drawn.sheet))
    frame.name = name
    frame.element.nvGraphicFramePr.cNvPr.set("descr", legible(spec.alt))
    return frame
