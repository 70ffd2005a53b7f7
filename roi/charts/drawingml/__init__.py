"""A chart as DrawingML, the XML of charts in Office files: native and editable, read by PowerPoint and LibreOffice."""
